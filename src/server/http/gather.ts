// Puts slices of an upload together: TLS hands over 16 KiB at a time, and every write to a disk costs a trip to another thread
// (measured: a third of what receiving a pack costs).

import { releaseWhole } from "../../core/bytes.ts";

const GATHERED_BYTES = 256 * 1024;

/** The same bytes in larger slices. Those that are given are given up; those that come are valid until the next one is asked for. */
export async function* gather(batches: AsyncIterable<readonly Uint8Array[]>): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(GATHERED_BYTES);
  let length = 0;
  for await (const slices of batches) {
    for (const slice of slices) {
      for (let at = 0; at < slice.length; ) {
        const part = slice.subarray(at, at + GATHERED_BYTES - length);
        buffer.set(part, length);
        length += part.length;
        at += part.length;
        if (length < GATHERED_BYTES) continue;
        yield buffer;
        length = 0;
      }
      releaseWhole(slice);
    }
  }
  if (length > 0) yield buffer.subarray(0, length);
}
