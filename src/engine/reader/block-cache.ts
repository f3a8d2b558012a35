// Blocks that were opened, with each chunk under the id that its own bytes give: nothing is in here that was not re-hashed.
// Bounded by the bytes that it pins, least recently used out first.

import { type RawPath, rawSlice } from "../../core/raw-path.ts";
import { type BlockKind, KIND_DATA, KIND_TREE } from "../../wire/v4/vault-port.ts";
import type { EnginePlatform } from "../platform.ts";

/** A chunkId as a map key: 32 characters, one a byte. */
export type ChunkKey = RawPath;

export function chunkKey(chunkIds: Uint8Array, index = 0): ChunkKey {
  return rawSlice(chunkIds, index * 32, index * 32 + 32);
}

/** The chunks of one block under the ids that their bytes really have. */
export type OpenedBlock = {
  readonly blockNo: number;
  readonly chunks: ReadonlyMap<ChunkKey, Uint8Array>;
  readonly sizeBytes: number;
};

const KIND_PREFIX = { [KIND_DATA]: Uint8Array.of(KIND_DATA), [KIND_TREE]: Uint8Array.of(KIND_TREE) } as const;

/** Names every chunk of a block by its content. What the block was said to hold plays no part. */
export async function nameChunks(
  platform: EnginePlatform,
  chunkIdKey: Uint8Array,
  kind: BlockKind,
  blockNo: number,
  chunks: readonly Uint8Array[],
): Promise<OpenedBlock> {
  const { primitives } = platform;
  const named = new Map<ChunkKey, Uint8Array>();
  let sizeBytes = 0;
  for (const chunk of chunks) {
    named.set(chunkKey(await primitives.hmacSha256(chunkIdKey, KIND_PREFIX[kind], chunk)), chunk);
    sizeBytes += chunk.length + 128;
  }
  return { blockNo, chunks: named, sizeBytes };
}

export class BlockCache {
  readonly #limitBytes: number;
  readonly #blocks = new Map<number, OpenedBlock>();
  readonly #chunks = new Map<ChunkKey, OpenedBlock>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  chunk(key: ChunkKey): Uint8Array | undefined {
    const block = this.#chunks.get(key);
    if (!block) return undefined;
    this.#touch(block);
    return block.chunks.get(key);
  }

  block(blockNo: number): OpenedBlock | undefined {
    const block = this.#blocks.get(blockNo);
    if (block) this.#touch(block);
    return block;
  }

  add(block: OpenedBlock): void {
    this.#drop(this.#blocks.get(block.blockNo));
    this.#blocks.set(block.blockNo, block);
    for (const key of block.chunks.keys()) this.#chunks.set(key, block);
    this.#bytes += block.sizeBytes;
    for (const oldest of this.#blocks.values()) {
      if (this.#bytes <= this.#limitBytes || oldest === block) break;
      this.#drop(oldest);
    }
  }

  #touch(block: OpenedBlock): void {
    this.#blocks.delete(block.blockNo);
    this.#blocks.set(block.blockNo, block);
  }

  #drop(block: OpenedBlock | undefined): void {
    if (!block) return;
    this.#blocks.delete(block.blockNo);
    this.#bytes -= block.sizeBytes;
    for (const key of block.chunks.keys()) if (this.#chunks.get(key) === block) this.#chunks.delete(key);
  }
}
