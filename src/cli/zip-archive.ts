// A folder of a snapshot as a zip archive, streamed and not compressed: names, contents and modification times. What zip cannot
// hold (links, devices) is left out and told.

import { makeZip } from "client-zip";
import { readFile } from "../engine/reader/file-content.ts";
import type { VaultReader } from "../engine/reader/reader.ts";
import { ENTRY } from "../wire/v4/tree-types.ts";
import type { NamedEntry } from "./tar-archive.ts";

export async function* zipArchive(
  reader: VaultReader,
  entries: AsyncIterable<NamedEntry>,
  signal: AbortSignal,
  onSkipped: (entry: NamedEntry) => void,
): AsyncGenerator<Uint8Array> {
  yield* makeZip(filesOf(reader, entries, signal, onSkipped)) as unknown as AsyncIterable<Uint8Array>;
}

async function* filesOf(
  reader: VaultReader,
  entries: AsyncIterable<NamedEntry>,
  signal: AbortSignal,
  onSkipped: (entry: NamedEntry) => void,
) {
  for await (const found of entries) {
    const { entry, nameInArchive } = found;
    const lastModified = new Date(entry.mtimeSeconds * 1000);
    if (entry.type === ENTRY.directory) yield { name: `${nameInArchive}/`, lastModified };
    else if (entry.type !== ENTRY.file) onSkipped(found);
    else {
      yield {
        name: nameInArchive,
        lastModified,
        size: entry.size ?? 0,
        input: copies(readFile(reader, found, { signal })),
      };
    }
  }
}

/** The reader's pieces are views that later reads may share. */
async function* copies(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const piece of pieces) yield new Uint8Array(piece);
}
