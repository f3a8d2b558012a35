// Reads a stream of a browser into memory that is given and used again: memory that the system hands out anew for each slice was a quarter
// of what reading an answer cost, and half of reading a file.

import { type Bytes, releaseBytes } from "../../core/bytes.ts";

/** What Chromium hands over at a time, mostly. */
const SLICE_BYTES = 64 * 1024;

export type SliceReader = {
  /** A slice that is valid until the next one; undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  cancel(): Promise<void>;
};

export function sliceReader(body: ReadableStream<Uint8Array>): SliceReader {
  const reader = bufferReader(body);
  if (reader === undefined) return plainReader(body);
  let buffer: ArrayBufferLike = new ArrayBuffer(SLICE_BYTES);
  return {
    async read() {
      const { done, value } = await reader.read(new Uint8Array(buffer as ArrayBuffer));
      if (done) return undefined;
      buffer = value.buffer;
      return value;
    },
    cancel: () => reader.cancel(),
  };
}

export type FillReader = {
  /** What follows in the stream, in the place of `room`, whose memory moves: what looked at it is empty then. Undefined when there is less. */
  fill(room: Bytes): Promise<Bytes | undefined>;
  cancel(): Promise<void>;
};

export function fillReader(body: ReadableStream<Uint8Array>): FillReader {
  const reader = bufferReader(body);
  if (reader === undefined) return copyingReader(plainReader(body));
  return {
    async fill(room) {
      const { byteOffset: start, length } = room;
      let { buffer } = room;
      for (let got = 0; got < length; ) {
        const { done, value } = await reader.read(new Uint8Array(buffer, start + got, length - got));
        if (done) return undefined;
        buffer = value.buffer as ArrayBuffer;
        got += value.length;
      }
      return new Uint8Array(buffer, start, length);
    },
    cancel: () => reader.cancel(),
  };
}

/** Not every browser has bodies that read into a buffer which is given. */
function bufferReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

function plainReader(body: ReadableStream<Uint8Array>): SliceReader {
  const reader = body.getReader();
  let last: Uint8Array | undefined;
  return {
    async read() {
      if (last) releaseBytes(last);
      last = (await reader.read()).value;
      return last;
    },
    cancel: () => reader.cancel(),
  };
}

function copyingReader(slices: SliceReader): FillReader {
  let rest = new Uint8Array() as Uint8Array;
  return {
    async fill(room) {
      for (let at = 0; at < room.length; ) {
        if (rest.length === 0) {
          const slice = await slices.read();
          if (!slice) return undefined;
          rest = slice;
        }
        const part = rest.subarray(0, room.length - at);
        room.set(part, at);
        at += part.length;
        rest = rest.subarray(part.length);
      }
      return room;
    },
    cancel: () => slices.cancel(),
  };
}
