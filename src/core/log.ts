// The logger that rooms are given. Sinks live in node/. Fields are allow-listed there: no path, key or passphrase is ever a field.

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export type Logger = {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
};

const ignore = (): void => undefined;

export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
