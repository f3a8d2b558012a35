// Runs a plan's programs: without a shell, in a process group of their own that is killed when their time is up, with the end of what they
// printed. Environment: docs/agent.md, Hooks. Output stays on the device; it never goes to a server or a log.

import { type ChildProcess, spawn } from "node:child_process";
import { CONFIG, CONFIG_KEYS, envName } from "../../core/config-schema.ts";
import type { Timers } from "./timers.ts";

export type HookName = "before" | "after" | "on-error";

export type HookResult = {
  readonly isOk: boolean;
  /** What ended it, in words; empty when it ended with 0. */
  readonly detail: string;
  /** The end of what it printed, both streams as they came. */
  readonly output: string;
};

export type HookRequest = {
  readonly argv: readonly string[];
  readonly seconds: number;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timers: Timers;
  readonly signal?: AbortSignal | undefined;
};

const OUTPUT_BYTES = 16 * 1024;
/** Between asking and killing. */
const GRACE_MS = 2000;
const DRAIN_MS = 500;

export async function runHook(request: HookRequest): Promise<HookResult> {
  const { argv, seconds, timers, signal } = request;
  const [program = "", ...args] = argv;
  const isGrouped = process.platform !== "win32";
  const child = spawn(program, args, {
    cwd: isGrouped ? "/" : undefined,
    env: environment(request.env, request.variables),
    stdio: ["ignore", "pipe", "pipe"],
    detached: isGrouped,
    windowsHide: true,
  });
  const tail = new Tail(OUTPUT_BYTES);
  child.stdout?.on("data", (slice: Buffer) => tail.add(slice));
  child.stderr?.on("data", (slice: Buffer) => tail.add(slice));
  const ended = new AbortController();
  let killedFor: string | undefined;
  const end = new Promise<string>((resolve) => {
    child.on("error", (error) =>
      resolve(`it could not be started (${(error as NodeJS.ErrnoException).code ?? error.message})`),
    );
    child.on("exit", (code, by) => resolve(code === 0 ? "" : `it ended with ${by ?? `exit code ${code}`}`));
  });
  const closed = new Promise<void>((resolve) => {
    child.on("close", resolve).on("error", () => resolve());
  });
  const limit = timers.sleep(seconds * 1000, ended.signal).then(() => {
    if (!ended.signal.aborted) killedFor ??= `it did not end within ${seconds} s and was killed`;
    return killedFor === undefined ? undefined : killGroup(child, isGrouped, ended.signal, timers);
  });
  const onAbort = (): void => {
    killedFor ??= "it was stopped";
    void killGroup(child, isGrouped, ended.signal, timers);
  };
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  try {
    const detail = await end;
    // What it left behind in its group would outlive its time.
    if (killedFor !== undefined) kill(child, isGrouped, "SIGKILL");
    // A process that it left running may keep the streams for ever.
    await Promise.race([closed, timers.sleep(DRAIN_MS, ended.signal)]);
    return { isOk: detail === "" && killedFor === undefined, detail: killedFor ?? detail, output: tail.text() };
  } finally {
    signal?.removeEventListener("abort", onAbort);
    ended.abort();
    await limit;
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

async function killGroup(child: ChildProcess, isGrouped: boolean, ended: AbortSignal, timers: Timers): Promise<void> {
  kill(child, isGrouped, "SIGTERM");
  await timers.sleep(GRACE_MS, ended);
  kill(child, isGrouped, "SIGKILL");
}

function kill(child: ChildProcess, isGrouped: boolean, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    if (isGrouped) process.kill(-child.pid, signal);
    else
      spawn("taskkill", ["/pid", String(child.pid), "/t", "/f"], { stdio: "ignore", windowsHide: true }).on(
        "error",
        () => undefined,
      );
  } catch {
    // It has ended by itself.
  }
}

/** The agent's own, without secrets: a hook has no business with them. */
function environment(env: HookRequest["env"], variables: HookRequest["variables"]): Record<string, string> {
  const secrets = new Set(CONFIG_KEYS.filter((key) => CONFIG[key].secret).map(envName));
  const given = Object.entries(env).filter(([name]) => !secrets.has(name) && name !== "NOTIFY_SOCKET");
  const own = Object.entries(variables).map(([name, value]) => [`CB_${name}`, value] as const);
  return Object.fromEntries([...given, ...own].filter((each): each is [string, string] => each[1] !== undefined));
}

/** The last bytes of a stream. */
class Tail {
  readonly #max: number;
  readonly #slices: Buffer[] = [];
  #length = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(slice: Buffer): void {
    this.#slices.push(slice);
    this.#length += slice.length;
    while (this.#length - (this.#slices[0]?.length ?? 0) >= this.#max) this.#length -= this.#slices.shift()!.length;
  }

  text(): string {
    const all = Buffer.concat(this.#slices);
    return all.subarray(Math.max(0, all.length - this.#max)).toString("utf8");
  }
}
