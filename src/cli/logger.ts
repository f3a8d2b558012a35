// Log messages as plain lines on standard error, for people who raise --log-level.

import type { Config } from "../core/config-schema.ts";
import type { LogFields, Logger } from "../core/log.ts";
import type { TerminalStream } from "../node/terminal.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

export function stderrLogger(stderr: TerminalStream, least: Config["logLevel"]): Logger {
  const first = least === "silent" ? LEVELS.length : LEVELS.indexOf(least);
  const write =
    (level: (typeof LEVELS)[number]) =>
    (message: string, fields: LogFields = {}) => {
      if (LEVELS.indexOf(level) < first) return;
      const shown = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`);
      stderr.write(`${level}: ${message}${shown.join("")}\n`);
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
