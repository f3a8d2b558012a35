// Holds a file, or a part of one, against the chunkIds that the backup has for it. For the worker that restores and for its helpers.

import { type Bytes, equalBytes } from "../../../core/bytes.ts";
import type { Primitives } from "../../../crypto/primitives.ts";
import { KIND_DATA } from "../../../wire/v4/vault-port.ts";
import { type FillReader, fillReader } from "../slice-reader.ts";
import type { ContentPiece } from "./file-writes.ts";

const KIND_PREFIX = Uint8Array.of(KIND_DATA);
const FIRST_BUFFER_BYTES = 64 * 1024;

/** Whether it begins with these pieces. */
export async function holdsPieces(
  file: Blob,
  pieces: readonly ContentPiece[],
  primitives: Primitives,
  chunkIdKey: Bytes,
): Promise<boolean> {
  const bytes = new FileBytes(file);
  const check = async ({ id }: ContentPiece, chunk: Uint8Array): Promise<boolean> =>
    equalBytes(await primitives.hmacSha256(chunkIdKey, KIND_PREFIX, chunk), id);
  let checking = Promise.resolve(true);
  try {
    for (const piece of pieces) {
      // The next one is read while the last one is being hashed.
      const chunk = await bytes.next(piece.length);
      if (!(await checking) || !chunk) return false;
      checking = check(piece, chunk);
      checking.catch(() => undefined);
    }
    return await checking;
  } finally {
    await bytes.end();
  }
}

type Part = { readonly pieces: ContentPiece[]; readonly start: number; end: number };

/** At most so many parts, of about the same length. */
export function partsOf(content: readonly ContentPiece[], most: number): Part[] {
  const whole = content.reduce((sum, { length }) => sum + length, 0);
  const parts: Part[] = [];
  let at = 0;
  for (const piece of content) {
    if (parts.length < most && at >= (whole * parts.length) / most) parts.push({ pieces: [], start: at, end: at });
    at += piece.length;
    parts.at(-1)!.pieces.push(piece);
    parts.at(-1)!.end = at;
  }
  return parts;
}

/** A file from its first byte on, in two buffers that are used by turns: one is filled while what lies in the other is being hashed. */
class FileBytes {
  readonly #reader: FillReader;
  readonly #buffers: [ArrayBuffer, ArrayBuffer] = [new ArrayBuffer(0), new ArrayBuffer(0)];
  #turn: 0 | 1 = 0;

  constructor(file: Blob) {
    this.#reader = fillReader(file.stream());
  }

  /** A view that is valid until the next but one; undefined when the file has no more. */
  async next(length: number): Promise<Uint8Array | undefined> {
    // With room for the prefix that goes before it (worker-primitives.ts).
    const start = KIND_PREFIX.length;
    this.#turn = this.#turn === 0 ? 1 : 0;
    let buffer = this.#buffers[this.#turn];
    if (buffer.byteLength < start + length)
      buffer = new ArrayBuffer(Math.max(FIRST_BUFFER_BYTES, 2 * (start + length)));
    const bytes = await this.#reader.fill(new Uint8Array(buffer, start, length));
    if (bytes) this.#buffers[this.#turn] = bytes.buffer;
    return bytes;
  }

  async end(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }
}
