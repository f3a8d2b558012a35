// The chunks of one opened block, found by chunkId. A block can hold hundreds of thousands of tiny chunks, so this is flat arrays with
// open addressing (Knuth, The Art of Computer Programming 3, 6.4, algorithm L) rather than a map of objects: 48 bytes a chunk.

import { type RawPath, rawSlice } from "../../core/raw-path.ts";

/** A chunkId as a map key: 32 characters, one a byte. */
export type ChunkKey = RawPath;

export function chunkKey(chunkIds: Uint8Array, index = 0): ChunkKey {
  return rawSlice(chunkIds, index * ID_BYTES, index * ID_BYTES + ID_BYTES);
}

const ID_BYTES = 32;

export class ChunkTable {
  /** Number of chunks; ones with the same bytes count once. */
  size = 0;
  readonly #payload: Uint8Array;
  readonly #ids: Uint8Array;
  readonly #starts: Uint32Array;
  readonly #lengths: Uint32Array;
  /** Number of a chunk plus one; 0 is free. At least half are free. */
  readonly #slots: Int32Array;

  /** `payload` is what all chunks are parts of. */
  constructor(payload: Uint8Array, capacity: number) {
    this.#payload = payload;
    this.#ids = new Uint8Array(capacity * ID_BYTES);
    this.#starts = new Uint32Array(capacity);
    this.#lengths = new Uint32Array(capacity);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, capacity * 2))));
  }

  /** Bytes that it takes, the payload included. */
  get sizeBytes(): number {
    const { byteLength } = this.#ids;
    return this.#payload.buffer.byteLength + byteLength + 2 * this.#starts.byteLength + this.#slots.byteLength;
  }

  /** Adds a part of the payload under the id that its bytes have. */
  add(chunkId: Uint8Array, chunk: Uint8Array): void {
    const slot = this.#find((at) => chunkId[at]!);
    if (this.#slots[slot] !== 0) return;
    this.#ids.set(chunkId, this.size * ID_BYTES);
    this.#starts[this.size] = chunk.byteOffset - this.#payload.byteOffset;
    this.#lengths[this.size] = chunk.length;
    this.#slots[slot] = ++this.size;
  }

  /** A view of the payload. */
  get(key: ChunkKey): Uint8Array | undefined {
    return this.#view(this.#find((at) => key.charCodeAt(at)));
  }

  /** The same by the id with number `index` in a flat list. */
  getById(chunkIds: Uint8Array, index: number): Uint8Array | undefined {
    const start = index * ID_BYTES;
    return this.#view(this.#find((at) => chunkIds[start + at]!));
  }

  #view(slot: number): Uint8Array | undefined {
    const number = this.#slots[slot]! - 1;
    if (number < 0) return undefined;
    const start = this.#starts[number]!;
    return this.#payload.subarray(start, start + this.#lengths[number]!);
  }

  /** Calls for each chunk with its id, a view that is only valid during the call. */
  forEach(use: (chunkId: Uint8Array, length: number) => void): void {
    for (let i = 0; i < this.size; i++) {
      use(this.#ids.subarray(i * ID_BYTES, i * ID_BYTES + ID_BYTES), this.#lengths[i]!);
    }
  }

  /** What the chunks are parts of, for whoever may give its memory back. */
  get payload(): Uint8Array {
    return this.#payload;
  }

  /** The slot of an id, or the free one where it would go. */
  #find(byteAt: (index: number) => number): number {
    const mask = this.#slots.length - 1;
    let slot = (byteAt(0) | (byteAt(1) << 8) | (byteAt(2) << 16)) & mask;
    for (;;) {
      const number = this.#slots[slot]! - 1;
      if (number < 0 || this.#isAt(number * ID_BYTES, byteAt)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isAt(start: number, byteAt: (index: number) => number): boolean {
    for (let i = 0; i < ID_BYTES; i++) if (this.#ids[start + i] !== byteAt(i)) return false;
    return true;
  }
}
