// The entries of folders of one snapshot, segment by segment: the next segments are fetched while the ones before are being decoded.

import { throwIfAborted } from "../../../core/errors.ts";
import { type RawPath, rawToText } from "../../../core/raw-path.ts";
import type { VaultReader } from "../../../engine/reader/reader.ts";
import type { OpenedSnapshot } from "../../../engine/reader/snapshots.ts";
import { readSegment, requireEntry, segmentCount, segmentId } from "../../../engine/reader/tree-reader.ts";
import { ENTRY, type TreeEntry } from "../../../wire/v4/tree-types.ts";
import { KIND_TREE } from "../../../wire/v4/vault-port.ts";
import type { FolderSource } from "./tree-list.ts";

/** Segments are 64 to 512 KiB. */
const SEGMENTS_AHEAD = 16;

export function folderSource(whole: VaultReader, snapshot: Pick<OpenedSnapshot, "info" | "row">): FolderSource {
  const reader = whole.of(snapshot);
  return async function* (path, signal) {
    const found = await requireEntry(reader, snapshot.info, path, { signal });
    if (found.entry.type !== ENTRY.directory) return;
    yield* segments(reader, path, found.entry, signal);
  };
}

async function* segments(
  reader: VaultReader,
  path: RawPath,
  directory: TreeEntry,
  signal: AbortSignal,
): AsyncGenerator<readonly TreeEntry[]> {
  const options = { path: rawToText(path), signal };
  const count = segmentCount(directory);
  const fetchFrom = async (first: number): Promise<void> => {
    const ids = Array.from({ length: Math.min(SEGMENTS_AHEAD, count - first) }, (_, i) =>
      segmentId(directory, first + i),
    );
    if (ids.length > 0) await reader.readChunks(ids, KIND_TREE, options);
  };
  let after: RawPath | undefined;
  let next = fetchFrom(0);
  for (let i = 0; i < count; i++) {
    if (i % SEGMENTS_AHEAD === 0) {
      await next;
      next = fetchFrom(Math.min(count, i + SEGMENTS_AHEAD));
      next.catch(() => undefined);
    }
    throwIfAborted(signal);
    const { entries } = await readSegment(reader, directory, i, after, options);
    yield entries;
    after = entries.at(-1)?.name ?? after;
  }
}
