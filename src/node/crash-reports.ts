// Reports of crashes to a Sentry-compatible receiver, for whoever has set one up; without its address this file is never loaded.
// An event is made anew from what core/log-fields.ts lets pass: class, code and frames of our own source, versions, and the last
// lines of the log. So no message, path, argument, variable, name of a machine or of a user is ever in one. docs/observability.md.

import { defaultStackParser, type ErrorEvent, makeNodeTransport, NodeClient, Scope } from "@sentry/node";
import type { Clock } from "../core/clock.ts";
import { AppError, ERRORS, isAppError } from "../core/errors.ts";
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from "../core/log.ts";
import { className, codeOf, type SafeFields, safeFields, safeFrames } from "../core/log-fields.ts";

export type CrashReportOptions = {
  /** `https://KEY@HOST/PROJECT`. */
  readonly dsn: string;
  readonly version: string;
  /** Name of the command: one of our own words. */
  readonly program: string;
  readonly clock: Clock;
};

export type CrashReports = {
  /** Sends a report; `flush` waits for it. */
  report(thrown: unknown): void;
  /** A logger whose lines also become the trail of a report. */
  trail(logger: Logger): Logger;
  /** Until all is sent, for two seconds at most. */
  flush(): Promise<void>;
};

type Crumb = { readonly at: number; readonly level: LogLevel; readonly message: string; readonly fields: SafeFields };

const CRUMBS = 50;
const FLUSH_MS = 2000;
const CAUSES = 4;

/** Throws `config_invalid` for an address that is none. */
export function startCrashReports(options: CrashReportOptions): CrashReports {
  const crumbs: Crumb[] = [];
  const client = new NodeClient({
    dsn: options.dsn,
    release: `cyberbackup@${options.version}`,
    environment: "production",
    // Nothing is gathered by anybody but us.
    integrations: [],
    includeServerName: false,
    sendClientReports: false,
    enableRuntimeChannelInjection: false,
    transport: makeNodeTransport,
    stackParser: defaultStackParser,
    beforeSend: (event, { originalException }) => madeAnew(event, originalException, options, crumbs),
  });
  if (client.getDsn() === undefined) {
    const detail = "crashReportsDsn must look like https://KEY@HOST/PROJECT.";
    throw new AppError("config_invalid", { context: { detail } });
  }
  client.init();
  return {
    // A scope of its own: none of the process's, which others could put things into.
    report: (thrown) => void client.captureException(thrown, { originalException: thrown }, new Scope()),
    trail: (logger) => trailing(logger, options.clock, crumbs),
    async flush() {
      await client.flush(FLUSH_MS);
    },
  };
}

/** Of the event that was made for it only its id and time are kept. */
function madeAnew(
  { event_id, timestamp }: ErrorEvent,
  thrown: unknown,
  { version, program }: CrashReportOptions,
  crumbs: readonly Crumb[],
): ErrorEvent {
  return {
    type: undefined,
    ...(event_id === undefined ? {} : { event_id }),
    ...(timestamp === undefined ? {} : { timestamp }),
    level: "error",
    platform: "node",
    release: `cyberbackup@${version}`,
    environment: "production",
    tags: { ...safeFields({ program, platform: process.platform, arch: process.arch }) },
    contexts: { runtime: { name: "node", version: process.version } },
    exception: { values: chainOf(thrown).map(exceptionOf).reverse() },
    breadcrumbs: crumbs.map(({ at, level, message, fields }) => ({
      timestamp: at / 1000,
      level: level === "warn" ? "warning" : level,
      category: "log",
      message,
      data: fields,
    })),
  };
}

/** The error and what caused it, outermost first. */
function chainOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let error = thrown; error instanceof Error && chain.length < CAUSES; error = error.cause) chain.push(error);
  return chain.length > 0 ? chain : [new TypeError()];
}

function exceptionOf(error: Error) {
  const code = codeOf(error);
  // The text of the table without its values: those may name anything.
  const value = isAppError(error) ? ERRORS[error.code].message : (code ?? "its message is withheld");
  return {
    type: isAppError(error) ? `AppError ${error.code}` : className(error),
    value,
    stacktrace: {
      // Sentry wants the innermost last.
      frames: safeFrames(error.stack)
        .reverse()
        .map(({ function: name, file, line, column, isOwn }) => ({
          ...(name === "" ? {} : { function: name }),
          ...{ filename: file, lineno: line, colno: column, in_app: isOwn },
        })),
    },
  };
}

function trailing(logger: Logger, clock: Clock, crumbs: Crumb[]): Logger {
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      logger[level](message, fields);
      if (level === "debug") return;
      crumbs.push({ at: clock.now(), level, message, fields: safeFields(fields) });
      if (crumbs.length > CRUMBS) crumbs.shift();
    };
  return Object.fromEntries(LOG_LEVELS.map((level) => [level, write(level)])) as Logger;
}
