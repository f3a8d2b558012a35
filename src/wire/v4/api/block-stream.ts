// The stream of POST /blocks: for each block u32 length (little-endian) ‖ sealed bytes; length 0 where it cannot be read. It may end
// after any whole block (docs/protocol-v4.md, The device API).

import { type Bytes, ByteWriter, releaseBytes, roomFor } from "../../../core/bytes.ts";
import { SEALED_MAX } from "../pack.ts";

export const BLOCK_LENGTH_BYTES = 4;

export function encodeBlockLength(length: number): Bytes {
  const writer = new ByteWriter(BLOCK_LENGTH_BYTES);
  writer.u32(length);
  return writer.take();
}

/** Cuts the stream into blocks. A block is held in memory of its own; that of a very long one grows with what arrives, not with what is announced. */
export class BlockStreamReader {
  readonly #fail: (detail: string) => never;
  readonly #head = new Uint8Array(BLOCK_LENGTH_BYTES);
  #headLength = 0;
  #body: Bytes | undefined;
  #bodyLength = 0;
  #wanted = 0;

  constructor(fail: (detail: string) => never) {
    this.#fail = fail;
  }

  /** True between two blocks. */
  get isWhole(): boolean {
    return this.#headLength === 0 && this.#body === undefined;
  }

  /** Gives the sealed bytes of each block that is complete now. */
  *push(slice: Uint8Array): Generator<Bytes> {
    let rest = slice;
    while (rest.length > 0 || this.#isFull()) {
      rest = this.#body ? this.#takeBody(rest) : this.#takeHead(rest);
      if (!this.#isFull()) continue;
      const block = this.#body!.subarray(0, this.#bodyLength);
      this.#body = undefined;
      yield block;
    }
  }

  #isFull(): boolean {
    return this.#body !== undefined && this.#bodyLength === this.#wanted;
  }

  #takeHead(slice: Uint8Array): Uint8Array {
    const part = slice.subarray(0, BLOCK_LENGTH_BYTES - this.#headLength);
    this.#head.set(part, this.#headLength);
    this.#headLength += part.length;
    if (this.#headLength < BLOCK_LENGTH_BYTES) return slice.subarray(part.length);
    this.#wanted = new DataView(this.#head.buffer).getUint32(0, true);
    if (this.#wanted > SEALED_MAX) this.#fail("a block is longer than any can be");
    this.#headLength = 0;
    this.#bodyLength = 0;
    this.#body = roomFor(Math.min(this.#wanted, Math.max(slice.length - part.length, MIN_ROOM_BYTES)));
    return slice.subarray(part.length);
  }

  #takeBody(slice: Uint8Array): Uint8Array {
    const part = slice.subarray(0, this.#wanted - this.#bodyLength);
    const need = this.#bodyLength + part.length;
    if (need > this.#body!.length) this.#grow(need);
    this.#body!.set(part, this.#bodyLength);
    this.#bodyLength = need;
    return slice.subarray(part.length);
  }

  #grow(need: number): void {
    const grown = roomFor(Math.min(this.#wanted, Math.max(need, 2 * this.#body!.length)));
    grown.set(this.#body!.subarray(0, this.#bodyLength));
    releaseBytes(this.#body!);
    this.#body = grown;
  }
}

/** Nearly all blocks have less: they never grow. What is merely announced takes no more. */
const MIN_ROOM_BYTES = 4 * 2 ** 20;
