// The log of a program that runs for long: to the console (lines for people on a terminal, JSON elsewhere), to files that are
// rotated, and to memory for whoever looks at it while it runs. pino writes it. Every field goes through core/log-fields.ts first.
// Loaded by long-running commands only: what starts and ends must not pay for it. docs/observability.md.

import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Logger as Pino, pino } from "pino";
import { prettyFactory } from "pino-pretty";
import type { RollingFile } from "pino-roll";
import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { isWanted, type LogFields, type Logger, type LogLevel } from "../../core/log.ts";
import { safeFields } from "../../core/log-fields.ts";
import { isTerminal, type TerminalStream } from "../terminal.ts";
import type { LogName } from "./files.ts";
import { LogTail, type LogThreshold, type LogView } from "./tail.ts";

export type LogOptions = {
  readonly name: LogName;
  readonly clock: Clock;
  readonly console: { readonly stream: TerminalStream; readonly level: LogThreshold; readonly isColoured: boolean };
  /** Without it, or with a level of `silent`, no files are written. */
  readonly files:
    | {
        readonly folder: string;
        readonly level: LogThreshold;
        /** Size at which a new file is begun. */
        readonly sizeBytes: number;
        /** Files that are kept, the one that is written included. */
        readonly count: number;
      }
    | undefined;
};

export type OpenLog = LogView & {
  readonly logger: Logger;
  /** Writes out what waits, at once: for a process that is about to end. */
  flush(): void;
  close(): Promise<void>;
};

/** Characters that may wait for a disk that does not keep up. */
const WAITING_CHARACTERS = 4 * 2 ** 20;

/** Throws `io` when the folder or file cannot be made. */
export async function openLog(options: LogOptions): Promise<OpenLog> {
  const { clock, console, files } = options;
  const tail = new LogTail();
  const toConsole = sink(clock, console.level, consoleWriter(console));
  const file = files === undefined || files.level === "silent" ? undefined : await openFiles(options.name, files);
  let level: LogThreshold = files?.level ?? console.level;
  const toFiles = file === undefined ? undefined : sink(clock, "debug", (line) => void file.write(line));
  const write =
    (at: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      const isForFiles = isWanted(at, level);
      if (!isForFiles && !isWanted(at, console.level)) return;
      const safe = safeFields(fields);
      toConsole[at](safe, message);
      if (!isForFiles) return;
      toFiles?.[at](safe, message);
      tail.push({ at: clock.now(), level: at, message, fields: safe });
    };
  const logger: Logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  // A full disk must not end what the log is about. The console says it once, and the tail goes on.
  let isBroken = false;
  file?.on("error", (error: Error) => {
    if (isBroken) return;
    isBroken = true;
    toConsole.error(safeFields({ error }), "the log cannot be written to its file");
  });
  file?.on("drain", () => {
    isBroken = false;
  });
  return {
    logger,
    tail,
    level: () => level,
    setLevel(wanted) {
      level = wanted;
    },
    flush: () => file?.flushSync(),
    close: async () => file && closeFile(file),
  };
}

function sink(clock: Clock, level: LogThreshold, write: (line: string) => void): Pino {
  return pino(
    {
      level,
      // No process id and no host name: one file is of one program on one machine.
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
}

function consoleWriter({ stream, isColoured }: LogOptions["console"]): (line: string) => void {
  if (!isTerminal(stream)) return (line) => void stream.write(line);
  const pretty = prettyFactory({
    colorize: isColoured,
    messageKey: "message",
    timestampKey: "time",
    translateTime: "SYS:HH:MM:ss",
    singleLine: true,
  });
  return (line) => void stream.write(pretty(line));
}

async function openFiles(name: LogName, files: NonNullable<LogOptions["files"]>): Promise<RollingFile> {
  const { folder, sizeBytes, count } = files;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { default: roll } = await import("pino-roll");
    const file = await roll({
      file: join(folder, name),
      size: `${Math.max(1, Math.ceil(sizeBytes / 1024))}k`,
      extension: ".log",
      limit: { count, removeOtherLogFiles: true },
      mode: 0o600,
      sync: false,
      maxLength: WAITING_CHARACTERS,
    });
    await once(file, "ready");
    return file;
  } catch (cause) {
    throw new AppError("io", { cause, context: { path: folder, detail: "The log cannot be written there." } });
  }
}

async function closeFile(file: RollingFile): Promise<void> {
  // One that could not be opened again has no file that could be closed.
  const closed = Promise.race([once(file, "close"), new Promise((resolve) => file.once("error", resolve))]);
  file.end();
  await closed;
}
