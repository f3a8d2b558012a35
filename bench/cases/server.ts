// The server: its devices' speed over TLS on loopback, both on the same cores, against restic with a local repository
// (its rest-server is in no Debian package) and borg with one behind a pipe; and many devices at once.
import { join } from "node:path";
import type { Case, Contender, Target } from "../case.ts";
import { prepareRandomFile, prepareSourceTree, RANDOM_FILE, SOURCE_TREE } from "../data.ts";
import { CHECKOUT, work } from "../folders.ts";
import { borg, firstBackup, laterBackup, restic, restored } from "../peers.ts";
import { servedCyberbackup } from "../served.ts";

const FIRST = "server-first-backup";
const UNCHANGED = "server-unchanged";
const RANDOM = "server-random-2g";
const RESTORE = "server-restore";
const LOAD = "server-load";
const MIB = 2 ** 20;
const SERVER_PEAK_LIMIT: Target = { quantity: "server", atMost: 300 * MIB };

export const serverFirstBackup: Case = {
  name: FIRST,
  title: "First backup of the source tree to a server, over TLS on loopback; restic to a local repository",
  prepare: prepareSourceTree,
  contenders: [
    firstBackup(servedCyberbackup(FIRST), SOURCE_TREE),
    firstBackup(restic(FIRST), SOURCE_TREE),
    firstBackup(borg(FIRST, true), SOURCE_TREE),
  ],
  targets: [{ quantity: "wall", against: "restic", atMost: 0.5 }, SERVER_PEAK_LIMIT],
};

export const serverUnchanged: Case = {
  name: UNCHANGED,
  title: "Second backup of the source tree to a server, nothing changed",
  prepare: prepareSourceTree,
  contenders: [
    laterBackup(servedCyberbackup(UNCHANGED), SOURCE_TREE),
    laterBackup(restic(UNCHANGED), SOURCE_TREE),
    laterBackup(borg(UNCHANGED, true), SOURCE_TREE),
  ],
  targets: [{ quantity: "wall", against: "restic", atMost: 0.33 }, SERVER_PEAK_LIMIT],
};

export const serverRandom2g: Case = {
  name: RANDOM,
  title: "First backup of 2 GiB of random bytes in one file to a server",
  prepare: prepareRandomFile,
  contenders: [
    firstBackup(servedCyberbackup(RANDOM), RANDOM_FILE),
    firstBackup(restic(RANDOM), RANDOM_FILE),
    firstBackup(borg(RANDOM, true), RANDOM_FILE),
  ],
  targets: [{ quantity: "wall", against: "restic", atMost: 0.8 }, SERVER_PEAK_LIMIT],
};

export const serverRestore: Case = {
  name: RESTORE,
  title: "Restore of the source tree from a server into an empty folder",
  prepare: prepareSourceTree,
  contenders: [restored(servedCyberbackup(RESTORE), SOURCE_TREE), restored(restic(RESTORE), SOURCE_TREE)],
  targets: [{ quantity: "wall", against: "restic", atMost: 0.5 }, SERVER_PEAK_LIMIT],
};

/** Fails by itself when a question takes too long, something goes wrong or the server has too much memory (bench/load/run.ts). */
export const serverLoad: Case = {
  name: LOAD,
  title: "500 devices with a connection each, 64 uploading at once, an index of 10 million chunks",
  heavy: true,
  prepare: async () => undefined,
  contenders: [load()],
  targets: [{ quantity: "peak", atMost: 512 * MIB }],
};

function load(): Contender {
  const node = join(CHECKOUT, "node_modules", ".bin", "node");
  const script = join(CHECKOUT, "bench", "load", "run.ts");
  const argv = [node, "--disable-warning=ExperimentalWarning", script, "--folder", work("runs", LOAD)] as const;
  return { name: "cyberbackup", command: () => ({ argv: [...argv] }) };
}
