// The engine's platform in a browser: WebCrypto, and zstd compiled to WebAssembly. For workers: zstd works while nothing else does.

import { init } from "@bokuweb/zstd-wasm";
import { Module } from "../../../node_modules/@bokuweb/zstd-wasm/dist/web/module.js";
import { type Bytes, roomFor } from "../../core/bytes.ts";
import { systemClock, systemRandom } from "../../core/clock.ts";
import type { EnginePlatform, Zstd } from "../../engine/platform.ts";
import { reuseMemory } from "./release.ts";
import { workerPrimitives } from "./worker-primitives.ts";

// The types are of the build for Node.
const initFrom: (url?: string) => Promise<void> = init;
let loaded: Promise<void> | undefined;
const primitives = workerPrimitives();

/** The platform, once zstd is loaded: from `wasmUrl`, or from where the page's bundler puts what the library names. */
export async function browserPlatform(wasmUrl?: string): Promise<EnginePlatform> {
  if (!loaded) reuseMemory();
  loaded ??= initFrom(wasmUrl);
  await loaded;
  return { primitives, zstd, clock: systemClock, random: systemRandom };
}

const zstd: Zstd = {
  compress(data, level) {
    const room = wasm._ZSTD_compressBound(data.length);
    const source = wasm._malloc(data.length);
    const target = wasm._malloc(room);
    try {
      if (source === 0 || target === 0) throw new RangeError("no memory to compress in");
      wasm.HEAPU8.set(data, source);
      const length = wasm._ZSTD_compress(target, room, source, data.length, level) >>> 0;
      if (length > room) throw new Error(`zstd error ${2 ** 32 - length}`);
      return copyOf(target, length);
    } finally {
      wasm._free(target);
      wasm._free(source);
    }
  },

  decompress(frame, length) {
    // What a frame claims is not to be trusted; whatever it claims, it gets room for `length` bytes.
    const claimed = frameContentSize(frame);
    if (claimed === "damaged" || (claimed !== "unknown" && claimed !== BigInt(length))) return undefined;
    const source = wasm._malloc(frame.length);
    const target = wasm._malloc(Math.max(1, length));
    try {
      if (source === 0 || target === 0) return undefined;
      wasm.HEAPU8.set(frame, source);
      // Errors are numbers that no length comes near (zstd.h, ZSTD_isError).
      if (wasm._ZSTD_decompress(target, length, source, frame.length) >>> 0 !== length) return undefined;
      return copyOf(target, length);
    } finally {
      wasm._free(target);
      wasm._free(source);
    }
  },
};

function copyOf(at: number, length: number): Bytes {
  const data = roomFor(length);
  data.set(wasm.HEAPU8.subarray(at, at + length));
  return data;
}

/** The library's own functions copy what they give into memory of its own, new each time. */
const wasm = Module as {
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _free(at: number): void;
  _ZSTD_compressBound(length: number): number;
  _ZSTD_compress(target: number, room: number, source: number, length: number, level: number): number;
  _ZSTD_decompress(target: number, room: number, source: number, length: number): number;
};

/** What a zstd frame's header says of its content's size (RFC 8878, §3.1.1.1). */
function frameContentSize(frame: Uint8Array): bigint | "unknown" | "damaged" {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 6) return "damaged";
  if (view.getUint32(0, true) !== 0xfd2fb528) return "damaged";
  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6]!;
  const at = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  if (sizeBytes === 0) return "unknown";
  if (frame.length < at + sizeBytes) return "damaged";
  let size = 0n;
  for (let i = sizeBytes - 1; i >= 0; i--) size = (size << 8n) | BigInt(frame[at + i]!);
  // "When Frame_Content_Size_Flag is 1, an offset of 256 is added."
  return sizeBytes === 2 ? size + 256n : size;
}
