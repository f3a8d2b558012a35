// The server as its users start it, in a process of its own on a free port of loopback.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CHECKOUT } from "../folders.ts";

export type ServerProcess = {
  readonly port: number;
  readonly socketPath: string;
  /** SHA-256 of the authority that a client pins, hex. */
  readonly fingerprint: string;
  /** Most memory that it ever had (VmHWM, proc(5)). */
  peakBytes(): number;
  /** Processor time of all its threads since it started. */
  cpuSeconds(): number;
  stop(): Promise<void>;
  /** At once, for the end of this process. */
  kill(): void;
};

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

type Started = { readonly port: number; readonly socket: string; readonly fingerprint: string };

export async function startServerProcess(
  data: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const args = ["serve", "--json", "--data", data, "--listen", "127.0.0.1:0", "--reserve-mib", "0"];
  const child = spawn(join(CHECKOUT, "cyberbackup"), args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, CYBERBACKUP_HOME: join(data, "home"), ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const started = await firstLine(child);
  if (started.port === undefined) throw new Error("the server did not say where it listens");
  const { port, socket, fingerprint } = started;
  // Whoever started it may end without asking it to: `kill` belongs into its exit handler.
  child.unref();
  (child.stdout as Socket).unref();
  return {
    port,
    socketPath: socket,
    fingerprint,
    peakBytes: () => Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]) * 1024,
    cpuSeconds: () => ticksOf(readFileSync(`/proc/${child.pid}/stat`, "utf8")) / TICKS_PER_SECOND,
    async stop() {
      child.ref();
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

/** Of utime and stime, the 14th and 15th field (proc(5)); the second one, a name in brackets, may have blanks. */
function ticksOf(stat: string): number {
  const [user, system] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13);
  return Number(user) + Number(system);
}

/** The rest of what it says is read and thrown away. */
async function firstLine(child: ChildProcess): Promise<Started> {
  const lines = createInterface({ input: child.stdout! });
  const ended = once(child, "exit").then(() => {
    throw new Error("the server ended before it listened");
  });
  const line = await Promise.race([once(lines, "line"), ended]);
  ended.catch(() => undefined);
  return JSON.parse(String(line[0])) as Started;
}
