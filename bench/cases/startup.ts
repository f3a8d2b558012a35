// What a command costs before it does anything.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Case, Contender } from "../case.ts";
import { CHECKOUT, work } from "../folders.ts";
import { run } from "../measure.ts";
import { type BackupProgram, cyberbackup, restic } from "../peers.ts";
import { unlockMs } from "../unlock.ts";

const ROUNDS = 10;
const SMALL = work("data", "small");
const ours = cyberbackup("startup-snapshots");

export const startupVersion: Case = {
  name: "startup-version",
  title: "`--version`",
  roundsAtLeast: ROUNDS,
  prepare: async () => {},
  contenders: [
    versionOf("cyberbackup", [join(CHECKOUT, "cyberbackup"), "--version"]),
    versionOf("restic", ["restic", "version"]),
    versionOf("borg", ["borg", "--version"]),
  ],
  targets: [{ quantity: "wall", atMost: 150 }],
};

export const startupSnapshots: Case = {
  name: "startup-snapshots",
  title: "`snapshots` on a small vault",
  roundsAtLeast: ROUNDS,
  prepare: async () => {
    await mkdir(SMALL, { recursive: true });
    await Promise.all(Array.from({ length: 20 }, (_, i) => writeFile(join(SMALL, `${i}.txt`), `file ${i}\n`)));
  },
  contenders: [listing(ours), listing(restic("startup-snapshots"))],
  targets: [{ quantity: "wall", atMost: 400 }],
  allowance: {
    what: "unlocking (one scrypt with the keyslot's work factor)",
    measureMs: async () => unlockMs(ours.repository),
  },
};

/** Run once before: the first start after an install fills the compile cache. */
function versionOf(name: string, argv: [string, ...string[]]): Contender {
  return {
    name,
    setup: async () => {
      await run({ argv });
    },
    command: () => ({ argv }),
  };
}

function listing(program: BackupProgram): Contender {
  return {
    name: program.name,
    setup: async () => {
      await program.init();
      for (let i = 0; i < 3; i++) await run(program.backup(SMALL));
      await run(program.snapshots());
    },
    command: program.snapshots,
  };
}
