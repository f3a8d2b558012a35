// Opens each block once in a whole verification and remembers, in 12 bytes a chunk, what it really holds, so that every later
// snapshot that needs a chunk of it is checked without reading it again.

import { type AppError, type ErrorCode, isAppError, throwIfAborted } from "../../core/errors.ts";
import type { ChunkId, DeviceId } from "../../core/ids.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";
import type { TreeEntry } from "../../wire/v4/tree-types.ts";
import type { BlockLocation } from "../../wire/v4/vault-port.ts";
import type { OpenedBlock } from "./block-cache.ts";
import { fetchEach, packOrder } from "./fetch.ts";
import type { VaultReader } from "./reader.ts";
import type { VerifyProgress } from "./verify.ts";

/** A chunk that an entry names; `length` is -1 where the tree does not say it. */
export type WantedChunk = {
  readonly path: RawPath;
  readonly entry: TreeEntry;
  readonly id: ChunkId;
  readonly length: number;
};

export type BlockProblem = {
  readonly blockNo: number;
  /** Whose block it is. */
  readonly device: DeviceId;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly path: RawPath;
};

type Located = { readonly chunk: WantedChunk; readonly location: BlockLocation };

/** 52 bits of each chunkId, ascending, and the chunks' lengths; or why the block cannot be opened. */
type Contents = { readonly marks: Float64Array; readonly lengths: Uint32Array } | { readonly error: AppError };

export class BlockVerifier {
  readonly #reader: VaultReader;
  readonly #sample: number;
  readonly #progress: VerifyProgress;
  readonly #known = new Map<number, Contents>();
  readonly #passedOver = new Set<number>();

  constructor(reader: VaultReader, sample: number, progress: VerifyProgress) {
    this.#reader = reader;
    this.#sample = sample;
    this.#progress = progress;
  }

  /** Opens those blocks that are new, then answers what is wrong with the chunks. */
  async *check(found: readonly Located[], signal: AbortSignal | undefined): AsyncGenerator<BlockProblem> {
    const fresh = new Map<number, BlockLocation>();
    for (const { location } of found) if (this.#isFresh(location.blockNo)) fresh.set(location.blockNo, location);
    const blocks = [...fresh.values()].sort(packOrder);
    await this.#reader.sessionKeys.prepare(blocks.map(({ session }) => session));
    for await (const { block, sealed, error } of fetchEach(this.#reader.vault, blocks)) {
      throwIfAborted(signal);
      this.#known.set(block.blockNo, error ? { error } : await this.#open(block, sealed));
      this.#progress.blocks++;
      this.#progress.blockBytes += block.length;
    }
    for (const { chunk, location } of found) {
      const problem = problemOf(chunk, this.#known.get(location.blockNo));
      if (problem) yield { ...problem, blockNo: location.blockNo, device: location.device, path: chunk.path };
    }
  }

  #isFresh(blockNo: number): boolean {
    if (this.#known.has(blockNo) || this.#passedOver.has(blockNo)) return false;
    if (this.#sample >= 1 || this.#chance() < this.#sample) return true;
    this.#passedOver.add(blockNo);
    return false;
  }

  #chance(): number {
    const [a, b] = this.#reader.platform.random.bytes(2);
    return (a! * 256 + b!) / 65536;
  }

  async #open(block: BlockLocation, sealed: Uint8Array): Promise<Contents> {
    try {
      return contentsOf(await this.#reader.openSealed(block, sealed));
    } catch (error) {
      if (!isAppError(error) || error.retry) throw error;
      return { error };
    }
  }
}

function contentsOf({ chunks }: OpenedBlock): Contents {
  const rows: { readonly mark: number; readonly length: number }[] = [];
  chunks.forEach((id, length) => {
    rows.push({ mark: markOfId(id), length });
  });
  rows.sort((a, b) => a.mark - b.mark);
  return {
    marks: Float64Array.from(rows, ({ mark }) => mark),
    lengths: Uint32Array.from(rows, ({ length }) => length),
  };
}

function problemOf(
  chunk: WantedChunk,
  contents: Contents | undefined,
): Omit<BlockProblem, "blockNo" | "device" | "path"> | undefined {
  if (!contents) return undefined;
  if ("error" in contents) return { code: contents.error.code, detail: contents.error.message };
  const at = indexOf(contents.marks, markOfId(chunk.id));
  const shown = rawToText(chunk.path);
  if (at < 0) return { code: "chunk_corrupt", detail: `it does not hold the piece of ${shown} that it says it holds` };
  if (chunk.length >= 0 && contents.lengths[at] !== chunk.length) {
    return { code: "chunk_corrupt", detail: `a piece of ${shown} has another length than the folder says` };
  }
  return undefined;
}

function indexOf(marks: Float64Array, mark: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (marks[middle]! < mark) low = middle + 1;
    else high = middle;
  }
  return marks[low] === mark ? low : -1;
}

/** The first 52 bits as a number: enough to tell keyed hashes apart. */
function markOfId(id: Uint8Array): number {
  let mark = 0;
  for (let i = 0; i < 6; i++) mark = mark * 256 + id[i]!;
  return mark * 16 + (id[6]! >>> 4);
}
