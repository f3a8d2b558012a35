// Log messages as plain lines on standard error, for people who raise --log-level.

import type { Config } from "../core/config-schema.ts";
import { isWanted, type LogFields, type Logger, type LogLevel } from "../core/log.ts";
import { safeFields } from "../core/log-fields.ts";
import type { TerminalStream } from "../node/terminal.ts";

export function stderrLogger(stderr: TerminalStream, least: Config["logLevel"]): Logger {
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (!isWanted(level, least)) return;
      const shown = Object.entries(safeFields(fields)).map(([name, value]) => ` ${name}=${value}`);
      stderr.write(`${level}: ${message}${shown.join("")}\n`);
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
