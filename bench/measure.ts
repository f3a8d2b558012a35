// Runs one command and says what it took: wall time from spawn to exit, and peak memory as GNU time reports it.
// GNU time gives the largest process of the tree, so for a pipeline it is the largest member, not the sum.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

export type Command = {
  readonly argv: readonly [string, ...string[]];
  /** Added to a small, fixed environment; nothing else of the caller's environment reaches the command. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
};

export type Measured = {
  readonly wallMs: number;
  readonly peakBytes: number;
  /** Of a page's own thread. */
  readonly longestTaskMs?: number;
};

const GNU_TIME = "/usr/bin/time";

/** What is missing on this machine to measure at all, as a line for a person; undefined when all is there. */
export function missingTool(): string | undefined {
  return existsSync(GNU_TIME) ? undefined : "GNU time is needed to measure memory: apt-get install time";
}

/** Runs the command to its end. Throws with what it printed when it fails. */
export async function measure(command: Command): Promise<Measured> {
  const report = join(tmpdir(), `cyberbackup-bench-time-${process.pid}`);
  const start = performance.now();
  await execute({ ...command, argv: [GNU_TIME, "-f", "%M", "-o", report, ...command.argv] });
  const wallMs = performance.now() - start;
  const peakBytes = Number(readFileSync(report, "utf8").trim().split("\n").at(-1)) * 1024;
  rmSync(report);
  return { wallMs, peakBytes };
}

/** For a command that prepares more than it measures, and says itself what that took: its last line is the figures as JSON. */
export async function readFigures(command: Command): Promise<Measured> {
  const last = (await execute(command)).trim().split("\n").at(-1) ?? "";
  const { wallMs, peakBytes, longestTaskMs } = JSON.parse(last) as Partial<Measured>;
  if (typeof wallMs !== "number" || typeof peakBytes !== "number") throw new Error(`no figures: ${last}`);
  return { wallMs, peakBytes, ...(longestTaskMs !== undefined && { longestTaskMs }) };
}

/** Runs a command outside any timing. Returns what it printed to its standard output. */
export function run(command: Command): Promise<string> {
  return execute(command);
}

function execute({ argv, env = {}, cwd }: Command): Promise<string> {
  const [program, ...args] = argv;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(program, args, {
    ...(cwd !== undefined && { cwd }),
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LC_ALL: "C.UTF-8", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout = tail(child.stdout);
  const stderr = tail(child.stderr);
  child.on("error", reject);
  child.on("close", (code, signal) => {
    if (code === 0) resolve(stdout());
    else reject(new Error(`${argv.join(" ")} ended with ${signal ?? code}:\n${stdout()}${stderr()}`));
  });
  return promise;
}

/** Keeps the last 64 KiB of a stream. */
function tail(stream: NodeJS.ReadableStream): () => string {
  let kept = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    kept = (kept + text).slice(-65_536);
  });
  return () => kept;
}
