// CyberBackup through a server of its own: over TLS on loopback, set up and logged in as a person would. One server runs at a time;
// starting the next one, or the end of the benchmark, ends it.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CHECKOUT, emptyFolder, work } from "./folders.ts";
import { type ServerProcess, startServerProcess } from "./load/server-process.ts";
import { type Command, run } from "./measure.ts";
import type { BackupProgram } from "./peers.ts";

const PASSPHRASE = "only for measuring";
const ACCOUNT = "owner@example.org";
const LAUNCHER = join(CHECKOUT, "cyberbackup");

let running: ServerProcess | undefined;
process.once("exit", () => running?.kill());

export type ServedProgram = BackupProgram & { readonly serverPeak: () => Promise<number> };

export function servedCyberbackup(caseName: string): ServedProgram {
  const place = work("runs", caseName, "cyberbackup");
  const data = join(place, "server");
  const passwordFile = join(place, "password");
  const env = { CYBERBACKUP_PASSPHRASE: PASSPHRASE, CYBERBACKUP_HOME: join(place, "home") };
  const origin = () => `https://127.0.0.1:${running?.port}`;
  const plain = (...args: string[]): Command => ({ argv: [LAUNCHER, ...args], env });
  const command = (...args: string[]): Command => plain(...args, "--vault", `${origin()}/home`);
  return {
    name: "cyberbackup",
    repository: join(data, "vaults"),
    init: async () => {
      await running?.stop();
      await emptyFolder(place);
      await writeFile(passwordFile, `${PASSPHRASE}\n`, { mode: 0o600 });
      running = await startServerProcess(data);
      await run(plain("server", "setup", "--data", data, "--email", ACCOUNT, "--password-file", passwordFile));
      const account = ["--email", ACCOUNT, "--password-file", passwordFile, "--server-pin", running.fingerprint];
      await run(plain("login", origin(), ...account));
      await run(command("init"));
    },
    backup: (path) => command("backup", path, "--quiet"),
    restore: (target) => command("restore", "latest", "--target", target, "--quiet"),
    snapshots: () => command("snapshots"),
    serverPeak: async () => running?.peakBytes() ?? 0,
  };
}
