// Runs the real command line, with a home and a vault that nothing else uses: `cli` and its like in this process, which costs a tenth of
// starting one, `start` and `apart` in a process of its own, for what only a process has (signals, its own end, exit codes, children).

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { z } from "zod";
import { CrashHandling } from "../../src/cli/crash.ts";
import type { Host } from "../../src/cli/host.ts";
import { errorSchema } from "../../src/cli/json-parts.ts";
import { DOCUMENTS, type JsonDocument } from "../../src/cli/json-schema.ts";
import { outputOf, run as runHere } from "../../src/cli/run.ts";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { endOf, followed } from "../child.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
/** Compiled code of all runs of one test file: the tenth start should not cost what the first does. */
const OWN_CACHE = mkdtempSync(join(tmpdir(), "cli-cache-"));
process.on("exit", () => rmSync(OWN_CACHE, { recursive: true, force: true }));
const CACHE = process.env.NODE_COMPILE_CACHE ?? OWN_CACHE;

/** Of passphrases in vaults that are made here: what scrypt costs is tested elsewhere. */
const LOG_N = 10;
/** These start a process, are one that lives on, or look into the folder that they are started in. */
const APART = new Set(["agent", "serve", "up", "v3 send", "web"]);
// Times are said in the machine's zone.
process.env.TZ = "UTC";

export const PASSPHRASE = "correct horse battery staple";

export type Place = { readonly folder: string; readonly vault: string; readonly home: string; remove(): void };

export function newPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), "cli-"));
  mkdirSync(join(folder, "cwd"));
  return {
    folder,
    vault: join(folder, "vault"),
    home: join(folder, "home"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export type RunOptions = {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  /** Exit code that the run must end with; default 0. */
  readonly exit?: number;
  /** In a process of its own, or not; default: where it must. */
  readonly apart?: boolean;
};

export type Run = {
  readonly exit: number | null;
  readonly stdout: Buffer;
  readonly text: string;
  readonly stderr: string;
};

/** Runs to the end and checks the exit code. */
export async function cli(place: Place, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const isApart = options.apart ?? (APART.has(args[0] ?? "") || APART.has(args.slice(0, 2).join(" ")));
  const run = await (isApart ? runApart : runInside)(place, args, options);
  assert.equal(run.exit, options.exit ?? 0, `${args.join(" ")}\n${run.text}\n${run.stderr}`);
  return run;
}

/** With --json: every line must be a document of the command. Answers them all. */
export async function cliJson(
  place: Place,
  args: readonly string[],
  options: RunOptions = {},
): Promise<JsonDocument[]> {
  const { text } = await cli(place, [...args, "--json"], options);
  return documentsIn(text, commandOf(args));
}

/** The last document, of which there must be the right one. */
export async function cliResult<Name extends keyof typeof DOCUMENTS>(
  place: Place,
  command: Name,
  args: readonly string[] = [],
  options: RunOptions = {},
) {
  const documents = await cliJson(place, [...command.split(" "), ...args], options);
  const last = documents.at(-1);
  assert.ok(last && "command" in last && last.command === command && last.type !== "progress");
  return last as Extract<JsonDocument, { command: Name; type: "summary" | "result" }>;
}

export async function cliError(place: Place, args: readonly string[], options: RunOptions & { exit: number }) {
  const last = (await cliJson(place, args, options)).at(-1);
  assert.ok(last?.type === "error");
  assert.equal(last.exit, options.exit);
  return last;
}

export function documentsIn(text: string, command: string): JsonDocument[] {
  const schemas: readonly z.ZodObject[] = DOCUMENTS[command as keyof typeof DOCUMENTS] ?? [];
  const schema = z.union([errorSchema, ...schemas]);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => schema.parse(JSON.parse(line)) as JsonDocument);
}

async function runApart(place: Place, args: readonly string[], options: RunOptions): Promise<Run> {
  const child = start(place, args, options);
  child.stdin!.end(options.input ?? "");
  return ended(child);
}

async function runInside(place: Place, args: readonly string[], options: RunOptions): Promise<Run> {
  const [out, err] = [new Kept(), new Kept()];
  const host: Host = {
    env: environment(place, options),
    platform: process.platform,
    userHome: place.folder,
    stdin: Readable.from([Buffer.from(options.input ?? "")]),
    stdout: out,
    stderr: err,
    clock: systemClock,
    random: systemRandom,
    keyslotLogN: LOG_N,
    tellParent: undefined,
    signal: new AbortController().signal,
  };
  const exit = await runHere(args, { host, output: outputOf(host, args), crash: new CrashHandling() });
  return { exit, stdout: out.bytes, text: out.bytes.toString(), stderr: err.bytes.toString() };
}

class Kept extends Writable {
  readonly #slices: Buffer[] = [];

  override _write(slice: Buffer, _encoding: string, done: () => void): void {
    this.#slices.push(slice);
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#slices);
  }
}

export function start(place: Place, args: readonly string[], options: RunOptions = {}): ChildProcess {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    cwd: join(place.folder, "cwd"),
    env: environment(place, options),
    stdio: ["pipe", "pipe", "pipe"],
  });
  return followed(child);
}

function environment(place: Place, { env = {} }: RunOptions): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    TZ: "UTC",
    HOME: place.folder,
    NODE_COMPILE_CACHE: CACHE,
    CYBERBACKUP_HOME: place.home,
    CYBERBACKUP_VAULT: place.vault,
    CYBERBACKUP_PASSPHRASE: PASSPHRASE,
    ...env,
  };
}

/** Resolves when a child of `start` has ended, with what it wrote since this was called. */
export async function ended(child: ChildProcess): Promise<Run> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on("data", (slice: Buffer) => out.push(slice));
  child.stderr!.on("data", (slice: Buffer) => err.push(slice));
  const exit = await endOf(child).catch((error: Error) =>
    assert.fail(`${error.message}\n${Buffer.concat(out)}\n${Buffer.concat(err)}`),
  );
  const stdout = Buffer.concat(out);
  return { exit, stdout, text: stdout.toString(), stderr: Buffer.concat(err).toString() };
}

/** `key add --label x` → `key add`. */
function commandOf(args: readonly string[]): string {
  const [first = "", second = ""] = args;
  return `${first} ${second}` in DOCUMENTS ? `${first} ${second}` : first;
}
