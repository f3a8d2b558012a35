// Runs the real command line in a process of its own, with a home and a vault that nothing else uses.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { errorSchema } from "../../src/cli/json-parts.ts";
import { DOCUMENTS, type JsonDocument } from "../../src/cli/json-schema.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
/** Compiled code of all runs of one test file: the tenth start should not cost what the first does. */
const OWN_CACHE = mkdtempSync(join(tmpdir(), "cli-cache-"));
process.on("exit", () => rmSync(OWN_CACHE, { recursive: true, force: true }));
const CACHE = process.env.NODE_COMPILE_CACHE ?? OWN_CACHE;

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
};

export type Run = {
  readonly exit: number | null;
  readonly stdout: Buffer;
  readonly text: string;
  readonly stderr: string;
};

/** Runs to the end and checks the exit code. */
export async function cli(place: Place, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const child = start(place, args, options);
  child.stdin!.end(options.input ?? "");
  const run = await ended(child);
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

export function start(place: Place, args: readonly string[], { env = {} }: RunOptions = {}): ChildProcess {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    cwd: join(place.folder, "cwd"),
    env: {
      PATH: process.env.PATH,

      TZ: "UTC",
      HOME: place.folder,
      NODE_COMPILE_CACHE: CACHE,
      CYBERBACKUP_HOME: place.home,
      CYBERBACKUP_VAULT: place.vault,
      CYBERBACKUP_PASSPHRASE: PASSPHRASE,
      ...env,
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

export async function ended(child: ChildProcess): Promise<Run> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on("data", (slice: Buffer) => out.push(slice));
  child.stderr!.on("data", (slice: Buffer) => err.push(slice));
  // Whoever ends before its input is read closes the pipe.
  child.stdin!.on("error", () => undefined);
  const exit = await new Promise<number | null>((resolve, reject) => child.on("close", resolve).on("error", reject));
  const stdout = Buffer.concat(out);
  return { exit, stdout, text: stdout.toString(), stderr: Buffer.concat(err).toString() };
}

/** `key add --label x` → `key add`. */
function commandOf(args: readonly string[]): string {
  const [first = "", second = ""] = args;
  return `${first} ${second}` in DOCUMENTS ? `${first} ${second}` : first;
}
