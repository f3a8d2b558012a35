// One run of the command line: parse, do, say how it ended, exit. Commands throw; only here is an error turned into words and
// an exit code. `main` is the process around a run; a run itself touches no process but through its host.

import { type Command, CommanderError } from "commander";
import { allLoaded } from "../client/loading-thread.ts";
import { type AppError, EXIT } from "../core/errors.ts";
import { listenForInterruption } from "../node/signals.ts";
import { CrashHandling } from "./crash.ts";
import { failedMessage, showFailure, toAppError } from "./failure.ts";
import { type Host, processHost } from "./host.ts";
import { Output } from "./output.ts";
import { usage } from "./parse-values.ts";
import { buildProgram, type Cli } from "./program.ts";

/** A thread that takes longer than this to load is stuck. */
const LOADING_MS = 5000;

export async function main(argv: readonly string[]): Promise<void> {
  const stops = listenForInterruption(
    process,
    () => tellStopping(),
    () => void exitProcess(EXIT.interrupted),
  );
  const host = processHost(stops.signal);
  const output = outputOf(host, argv);
  const tellStopping = (): void =>
    output.note("Stopping; what was stored is kept. Press Ctrl-C once more to exit at once.");

  // A bug in a callback has no caller that could say so.
  const crash = new CrashHandling();
  process.on("uncaughtException", (error) => {
    const exit = showFailure(output, error, stops.signal.aborted);
    output.flush();
    crash.lastWords(error).finally(() => exitProcess(exit));
  });
  const exitCode = await run(argv, { host, output, crash });
  await drained(process.stdout);
  // What a command left open (a worker, a handle) must not keep the process alive.
  await exitProcess(exitCode);
}

/** At once, but for threads that could not be ended in the middle of loading. */
export async function exitProcess(exitCode: number): Promise<never> {
  await Promise.race([allLoaded(), new Promise((resolve) => setTimeout(resolve, LOADING_MS))]);
  process.exit(exitCode);
}

/** Answers the exit code. */
export async function run(argv: readonly string[], parts: Omit<Cli, "exitCode">): Promise<number> {
  const { host, output, crash } = parts;
  const cli: Cli = { ...parts, exitCode: EXIT.ok };
  const program = buildProgram(cli);
  let exitCode: number;
  try {
    await program.parseAsync(spellOutHelp(argv), { from: "user" });
    exitCode = cli.exitCode;
  } catch (thrown) {
    const error = isIncomplete(thrown) ? incomplete(program, argv) : thrown;
    const { aborted } = host.signal;
    exitCode = isHelp(error) ? EXIT.ok : showFailure(output, error, aborted);
    if (exitCode !== EXIT.ok) await host.tellParent?.(failedMessage(error, aborted));
    if (toAppError(error, aborted).code === "internal") await crash.lastWords(error);
  }
  output.flush();
  return exitCode;
}

export function outputOf(host: Host, argv: readonly string[]): Output {
  return new Output(host, { isJson: hasFlag(argv, "--json"), isQuiet: hasFlag(argv, "--quiet", "-q") });
}

/** Flags that decide how even a usage error is said, so they are looked for before anything is parsed. */
function hasFlag(argv: readonly string[], ...flags: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => flags.includes(word));
}

/** `help backup` means `backup --help`. */
function spellOutHelp(argv: readonly string[]): string[] {
  return argv[0] === "help" ? [...argv.slice(1), "--help"] : [...argv];
}

/** No command was named, or a family and none of its members: the parser has shown help for that, to nobody (program.ts). */
function isIncomplete(error: unknown): boolean {
  return error instanceof CommanderError && error.code === "commander.help";
}

function incomplete(program: Command, argv: readonly string[]): AppError {
  const family = program.commands.find((command) => argv.includes(command.name()));
  if (family === undefined) return usage("No command is named. `cyberbackup demo` shows what there is at work.");
  const names = family.commands.map((command) => command.name());
  return usage(`What should ${family.name()} do? Add one of: ${names.join(", ")}.`);
}

function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

async function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return;
  await new Promise<void>((resolve) =>
    stream
      .once("drain", resolve)
      .once("close", resolve)
      .once("error", () => resolve()),
  );
}
