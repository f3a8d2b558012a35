// Where a vault's objects lie: a flat space of keys, each written once and never changed (docs/format.md, Objects of a vault).
// A store knows nothing of packs or records. What every store must do is an executable check: conformance.ts.

import type { Bytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { checkRelativePath, printableName } from "../core/filename.ts";

export type ObjectEntry = { readonly key: string; readonly sizeBytes: number };

/** One unfinished object. Nothing of it can be seen before `commit`; after `abort` nothing of it is left. */
export interface ObjectWriter {
  /** Appends a slice. The slice may be reused once the promise is resolved. */
  write(slice: Uint8Array): Promise<void>;
  /** As `put` of everything written. The writer is spent, whatever the answer. */
  commit(key: string): Promise<boolean>;
  /** Harmless after `commit` and when repeated. */
  abort(): Promise<void>;
}

/** Failures are AppErrors: `disk_full`, `io`, `filename_invalid`. That an object is not there is a return value. */
export interface ObjectStore {
  /**
   * Stores an object for good: when it answers, the object is whole and survives a crash.
   * True when the key now holds these bytes (also when it held them before), false when it holds other bytes: those stay.
   */
  put(key: string, bytes: Uint8Array): Promise<boolean>;
  create(): Promise<ObjectWriter>;
  get(key: string): Promise<Bytes | undefined>;
  /** Fewer bytes when the object ends early; undefined when there is none. */
  getRange(key: string, offset: number, length: number): Promise<Bytes | undefined>;
  /** Length in bytes; undefined when there is no such object. */
  size(key: string): Promise<number | undefined>;
  /** Objects whose keys start with `prefix` ("" or ending in "/"), sorted by key. */
  list(prefix: string): AsyncIterable<ObjectEntry>;
  /** Removes an object for good. One that is not there is fine. */
  remove(key: string): Promise<void>;
  /** Removes unfinished writes that nobody has touched since `before`, a time; answers how many. */
  sweep(before: number): Promise<number>;
  close(): Promise<void>;
}

/** First components that a vault's folder uses for itself (docs/format.md). */
const RESERVED_ROOTS = /^(?:tmp|locks|index\.db.*)$/;

/** Refuses keys that leave the store, that some file system would not take, or that belong to the folder itself. */
export function requireKey(key: string): string {
  const problem =
    checkRelativePath(key)?.detail ?? (isReserved(key) ? "It is reserved for the store itself." : undefined);
  if (problem === undefined) return key;
  throw new AppError("filename_invalid", { context: { name: printableName(key), detail: problem } });
}

export function requirePrefix(prefix: string): string {
  if (prefix !== "") requireKey(prefix.endsWith("/") ? prefix.slice(0, -1) : `${prefix}//`);
  return prefix;
}

export function isReserved(key: string): boolean {
  return RESERVED_ROOTS.test(key.split("/", 1)[0]!);
}
