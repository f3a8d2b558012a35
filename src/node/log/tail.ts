// The last records of the log, in memory, for whoever looks at a program that runs. They are as redacted as the log itself.

import { isWanted, type LogLevel } from "../../core/log.ts";
import type { SafeFields } from "../../core/log-fields.ts";

export type LogRecord = {
  /** Counts from 1 since the program started. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: SafeFields;
};

export type TailQuery = {
  /** Only what came after this record. */
  readonly after?: number;
  /** The least serious that are wanted. */
  readonly level?: LogLevel;
  /** The newest so many (default: all). */
  readonly limit?: number;
};

/** A log that can be looked at while it is written. */
export type LogView = {
  readonly tail: LogTail;
  /** The least serious that is kept in files and in memory; the console has its own. */
  level(): LogThreshold;
  setLevel(level: LogThreshold): void;
};

export type LogThreshold = LogLevel | "silent";

const KEPT = 2000;

/** Of a program that keeps no log. */
export function noLogView(): LogView {
  return { tail: new LogTail(), level: () => "silent", setLevel: () => undefined };
}

export class LogTail {
  readonly #kept: LogRecord[] = [];
  readonly #capacity: number;
  readonly #listeners = new Set<(record: LogRecord) => void>();
  #seq = 0;

  constructor(capacity: number = KEPT) {
    this.#capacity = capacity;
  }

  push(record: Omit<LogRecord, "seq">): void {
    const numbered = { seq: ++this.#seq, ...record };
    this.#kept.push(numbered);
    if (this.#kept.length > this.#capacity) this.#kept.splice(0, this.#kept.length - this.#capacity);
    for (const listener of this.#listeners) listener(numbered);
  }

  /** Oldest first. */
  records({ after = 0, level = "debug", limit = this.#capacity }: TailQuery = {}): LogRecord[] {
    const found = this.#kept.filter((record) => record.seq > after && isWanted(record.level, level));
    return limit <= 0 ? [] : found.slice(-limit);
  }

  /** Hears of each record from now on, until the function that it answers is called. A listener must not throw or log. */
  subscribe(listener: (record: LogRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
