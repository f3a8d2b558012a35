// What an archive of a part of a snapshot holds, in order, under which names.

import { AppError } from "../../core/errors.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { readFile } from "../reader/file-content.ts";
import type { VaultReader } from "../reader/reader.ts";
import { type FoundEntry, ROOT_PATH } from "../reader/tree-reader.ts";
import { walkTree } from "../reader/walk.ts";

export type DumpedFile = Pick<FoundEntry, "path" | "entry">;

export type DumpOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Folder whose path is left out of the names; `/` when left out, so that an archive unpacked there puts everything back. */
  readonly relativeTo?: RawPath | undefined;
  /** Reads a file in place of the reader's own way. */
  readonly read?: ((reader: VaultReader, found: DumpedFile) => AsyncIterable<Uint8Array>) | undefined;
  /** Hears of entries that this kind of archive cannot hold. */
  readonly onSkip?: ((found: FoundEntry) => void) | undefined;
};

export type DumpStep = FoundEntry & { readonly name: RawPath };

/** Throws `usage` when `relativeTo` is not at or above each start, and at the first folder that cannot be read. */
export async function* dumpSteps(
  reader: VaultReader,
  starts: FoundEntry | readonly FoundEntry[],
  options: DumpOptions,
): AsyncGenerator<DumpStep> {
  for (const start of [starts].flat()) yield* stepsBelow(reader, start, options);
}

/** The content of a file of the dump. */
export function dumpedContent(
  reader: VaultReader,
  found: DumpedFile,
  { read, signal }: DumpOptions,
): AsyncIterable<Uint8Array> {
  return read ? read(reader, found) : readFile(reader, found, { signal });
}

async function* stepsBelow(
  reader: VaultReader,
  start: FoundEntry,
  { signal, relativeTo = ROOT_PATH }: DumpOptions,
): AsyncGenerator<DumpStep> {
  const prefix = relativeTo === ROOT_PATH ? "/" : `${relativeTo}/`;
  if (start.path !== relativeTo && !start.path.startsWith(prefix)) {
    throw new AppError("usage", {
      context: { detail: "The names cannot be relative to a folder beside what is dumped." },
    });
  }
  for await (const { kind, path, entry, owners, error } of walkTree(reader, start, { signal })) {
    if (error) throw error;
    // The folder that the names are relative to has none itself.
    if (kind === "leave" || path === relativeTo) continue;
    yield { path, entry, owners, name: path.slice(prefix.length) as RawPath };
  }
}
