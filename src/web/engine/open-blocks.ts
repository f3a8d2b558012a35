// Blocks of a vault, opened while the next ones are on their way: several fetches are under way (engine/remote/block-fetcher.ts), and
// several blocks are being decrypted at once, since WebCrypto works beside us. Memory is bounded by both numbers.

import { AppError, isAppError, throwIfAborted } from "../../core/errors.ts";
import type { ChunkId } from "../../core/ids.ts";
import { rawToText } from "../../core/raw-path.ts";
import type { OpenedBlock } from "../../engine/reader/block-cache.ts";
import { chunkKey } from "../../engine/reader/chunk-table.ts";
import { contentRuns } from "../../engine/reader/content-runs.ts";
import { fetchEach } from "../../engine/reader/fetch.ts";
import { wrongLength } from "../../engine/reader/file-content.ts";
import type { VaultReader } from "../../engine/reader/reader.ts";
import type { FoundEntry } from "../../engine/reader/tree-reader.ts";
import { chunkIdAt } from "../../wire/v4/tree-types.ts";
import { type BlockLocation, KIND_DATA } from "../../wire/v4/vault-port.ts";

/** A block, or why it cannot be had. */
export type MaybeOpened =
  | { readonly location: BlockLocation; readonly opened: OpenedBlock; readonly error?: undefined }
  | { readonly location: BlockLocation; readonly opened?: undefined; readonly error: AppError };

const OPENING_AT_ONCE = 4;
/** Plaintext whose blocks are planned in one go. */
const WINDOW_BYTES = 48 * 2 ** 20;

/** In the order asked. Throws only what the next block would meet too. */
export async function* openBlocks(
  reader: VaultReader,
  locations: readonly BlockLocation[],
  signal?: AbortSignal,
): AsyncGenerator<MaybeOpened> {
  await reader.sessionKeys.prepare(locations.map(({ session }) => session));
  const opening: Promise<MaybeOpened>[] = [];
  for await (const { block, sealed, error } of fetchEach(reader.vault, locations)) {
    throwIfAborted(signal);
    const next = error ? Promise.resolve({ location: block, error }) : open(reader, block, sealed);
    // Awaited in its turn.
    next.catch(() => undefined);
    opening.push(next);
    if (opening.length >= OPENING_AT_ONCE) yield await opening.shift()!;
  }
  for (const next of opening) yield await next;
}

async function open(reader: VaultReader, location: BlockLocation, sealed: Uint8Array): Promise<MaybeOpened> {
  try {
    return { location, opened: await reader.openSealed(location, sealed) };
  } catch (error) {
    if (!isAppError(error) || error.retry) throw error;
    return { location, error };
  }
}

/**
 * The bytes of a large file in order, as views that are valid until the next one. As `readFile` of the engine, which is better for small
 * files: that one keeps blocks for its neighbours.
 */
export async function* readAhead(
  reader: VaultReader,
  found: Pick<FoundEntry, "path" | "entry">,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  const windows = windowsOf(reader, found, signal);
  let next = begin(windows, reader, found, signal);
  for (let current = await next; current; current = await next) {
    next = begin(windows, reader, found, signal);
    next.catch(() => undefined);
    yield* current;
  }
}

type Piece = { readonly id: ChunkId; readonly length: number };

/** Fetches the first blocks of the next window while this one is being read. */
async function begin(
  windows: AsyncGenerator<Piece[]>,
  reader: VaultReader,
  { path }: Pick<FoundEntry, "path">,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const { done, value: pieces } = await windows.next();
  if (done) return undefined;
  const shown = rawToText(path);
  const locations = await reader.locate(pieces.map(({ id }) => id));
  const uses = new Map<number, number>();
  const blocks: BlockLocation[] = [];
  for (const location of locations) {
    if (!location) throw new AppError("chunk_missing", { context: { path: shown } });
    const count = uses.get(location.blockNo) ?? 0;
    if (count === 0) blocks.push(location);
    uses.set(location.blockNo, count + 1);
  }
  const opening = openBlocks(reader, blocks, signal);
  const first = opening.next();
  first.catch(() => undefined);
  return readWindow({ pieces, locations: locations as BlockLocation[], uses, opening, first, shown });
}

type Window = {
  readonly pieces: readonly Piece[];
  readonly locations: readonly BlockLocation[];
  /** How often each block is needed. */
  readonly uses: Map<number, number>;
  readonly opening: AsyncGenerator<MaybeOpened>;
  readonly first: Promise<IteratorResult<MaybeOpened>>;
  readonly shown: string;
};

async function* readWindow({ pieces, locations, uses, opening, first, shown }: Window): AsyncGenerator<Uint8Array> {
  const held = new Map<number, OpenedBlock>();
  let next: Promise<IteratorResult<MaybeOpened>> | undefined = first;
  try {
    for (const [i, { id, length }] of pieces.entries()) {
      const location = locations[i]!;
      const { blockNo } = location;
      while (!held.has(blockNo)) {
        const { done, value } = await (next ?? opening.next());
        next = undefined;
        if (done) throw new AppError("internal", { context: { detail: "a block was left out" } });
        if (value.error) throw value.error;
        held.set(value.location.blockNo, value.opened);
      }
      yield chunkOf(held.get(blockNo)!, location, id, length, shown);
      const left = uses.get(blockNo)! - 1;
      uses.set(blockNo, left);
      if (left === 0) held.delete(blockNo);
    }
  } finally {
    await opening.return(undefined).catch(() => undefined);
  }
}

/** Throws `chunk_corrupt` when the block does not hold it. */
export function chunkOf(
  opened: OpenedBlock,
  location: BlockLocation,
  id: Uint8Array,
  length: number,
  shown: string,
): Uint8Array {
  const chunk = location.kind === KIND_DATA ? opened.chunks.get(chunkKey(id)) : undefined;
  if (!chunk) {
    const detail = `block ${location.blockNo}, written by device ${location.device.slice(0, 8)}, does not hold what it says it holds`;
    throw new AppError("chunk_corrupt", { context: { path: shown, detail } });
  }
  if (chunk.length !== length) throw wrongLength(shown);
  return chunk;
}

async function* windowsOf(
  reader: VaultReader,
  found: Pick<FoundEntry, "path" | "entry">,
  signal: AbortSignal | undefined,
): AsyncGenerator<Piece[]> {
  let window: Piece[] = [];
  let bytes = 0;
  for await (const { chunkIds, lengths } of contentRuns(reader, found, { signal })) {
    for (const [i, length] of lengths.entries()) {
      if (bytes + length > WINDOW_BYTES && window.length > 0) {
        yield window;
        window = [];
        bytes = 0;
      }
      window.push({ id: chunkIdAt(chunkIds, i), length });
      bytes += length;
    }
  }
  if (window.length > 0) yield window;
}
