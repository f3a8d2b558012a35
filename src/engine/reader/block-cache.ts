// Blocks that were opened, with each chunk under the id that its own bytes give: nothing is in here that was not re-hashed.
// Bounded by the bytes that it pins, least recently used out first.

import { type BlockKind, KIND_DATA, KIND_TREE } from "../../wire/v4/vault-port.ts";
import type { EnginePlatform } from "../platform.ts";
import { type ChunkKey, ChunkTable } from "./chunk-table.ts";

/** The chunks of one block under the ids that their bytes really have. */
export type OpenedBlock = { readonly blockNo: number; readonly kind: BlockKind; readonly chunks: ChunkTable };

const KIND_PREFIX = { [KIND_DATA]: Uint8Array.of(KIND_DATA), [KIND_TREE]: Uint8Array.of(KIND_TREE) } as const;
const NO_BYTES = new Uint8Array();

/** Names every chunk of a block by its content. What the block was said to hold plays no part. `chunks` are views of one buffer. */
export async function nameChunks(
  platform: EnginePlatform,
  chunkIdKey: Uint8Array,
  kind: BlockKind,
  blockNo: number,
  chunks: readonly Uint8Array[],
): Promise<OpenedBlock> {
  const { primitives } = platform;
  const table = new ChunkTable(new Uint8Array((chunks[0] ?? NO_BYTES).buffer), chunks.length);
  for (const chunk of chunks) table.add(await primitives.hmacSha256(chunkIdKey, KIND_PREFIX[kind], chunk), chunk);
  return { blockNo, kind, chunks: table };
}

export class BlockCache {
  readonly #limitBytes: number;
  readonly #blocks = new Map<number, OpenedBlock>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** A chunk of the other kind is none: what a file holds is never taken for a tree. */
  chunk(key: ChunkKey, kind: BlockKind): Uint8Array | undefined {
    for (const block of this.#blocks.values()) {
      const chunk = block.kind === kind ? block.chunks.get(key) : undefined;
      if (!chunk) continue;
      this.#touch(block);
      return chunk;
    }
    return undefined;
  }

  add(block: OpenedBlock): void {
    this.#drop(this.#blocks.get(block.blockNo));
    this.#blocks.set(block.blockNo, block);
    this.#bytes += block.chunks.sizeBytes;
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
    this.#bytes -= block.chunks.sizeBytes;
  }
}
