// The logger that rooms are given. Sinks live in node/log/. What a field may hold is decided by core/log-fields.ts: a list of
// names, each with a type; what is not on it reaches no log. So no path, key, passphrase or name is ever in one.
// A message is a text of the program's own (a test holds every call to that); what varies goes into fields.

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Words that stand in the program's own text: `said` makes them, and nothing that came from elsewhere can become one. */
export class Said {
  readonly text: string;
  /** For `said` alone. */
  constructor(text: string) {
    this.text = text;
  }
}

/** said`it was silent too long`. It takes no values, which is the point of it. */
export function said(parts: TemplateStringsArray): Said {
  return new Said(parts.join(""));
}

/** An error tells its class, its code and where it was thrown; its message, which may quote anything, stays out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined | Said | Error>>;

export type Logger = {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
};

const ignore = (): void => undefined;

export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** The same with fields that go with every message: `{ run }`, `{ requestId }`. */
export function withFields(logger: Logger, always: LogFields): Logger {
  const tagged = (level: LogLevel) => (message: string, fields?: LogFields) =>
    logger[level](message, { ...always, ...fields });
  return { debug: tagged("debug"), info: tagged("info"), warn: tagged("warn"), error: tagged("error") };
}

/** True when a record of this level is wanted where `least` is the least serious that is. */
export function isWanted(level: LogLevel, least: LogLevel | "silent"): boolean {
  return least !== "silent" && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
}
