// The server's own log for its owners' page: what goes to its logger is also kept in memory, as redacted as everywhere
// (core/log-fields.ts). What is quieter than `info` is not kept.

import type { Clock } from "../core/clock.ts";
import { isWanted, type LogFields, type Logger, type LogLevel } from "../core/log.ts";
import { safeFields } from "../core/log-fields.ts";
import type { LogRecord, LogTail } from "../node/log/tail.ts";

/** A logger that writes to `logger` and keeps its lines in `tail`. */
export function keptLog(logger: Logger, tail: LogTail, clock: Clock): Logger {
  const both =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      logger[level](message, fields);
      if (isWanted(level, "info")) tail.push({ at: clock.now(), level, message, fields: safeFields(fields) });
    };
  return { debug: both("debug"), info: both("info"), warn: both("warn"), error: both("error") };
}

/** Hears of each line. Whoever hears of one may log another: that is kept, and told to nobody. */
export function tellLines(tail: LogTail, tell: (line: LogRecord) => void): void {
  let isTelling = false;
  tail.subscribe((line) => {
    if (isTelling) return;
    isTelling = true;
    try {
      tell(line);
    } finally {
      isTelling = false;
    }
  });
}

/** Newest first; `next` is for the page after. */
export function logPage(
  tail: LogTail,
  asked: { readonly level: LogLevel; readonly limit: number; readonly after?: number | undefined },
): { items: LogRecord[]; next: string | null } {
  const { level, limit, after = Number.MAX_SAFE_INTEGER } = asked;
  const fitting = tail.records({ level }).filter(({ seq }) => seq < after);
  const items = fitting.slice(-limit).reverse();
  return { items, next: fitting.length > items.length ? String(items.at(-1)!.seq) : null };
}
