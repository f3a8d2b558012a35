// What the engine needs of the machine that it runs on, given from outside: primitives, zstd, time and chance.

import type { Bytes } from "../core/bytes.ts";
import type { Clock, RandomSource } from "../core/clock.ts";
import type { Awaitable, Primitives } from "../crypto/primitives.ts";

export type Zstd = {
  /** One zstd frame. */
  compress(data: Uint8Array, level: number): Awaitable<Bytes>;
  /** Decodes one frame; undefined when it is damaged or is not exactly `length` bytes long. Never uses more memory than that allows. */
  decompress(frame: Uint8Array, length: number): Awaitable<Bytes | undefined>;
};

export type EnginePlatform = {
  readonly primitives: Primitives;
  readonly zstd: Zstd;
  readonly clock: Clock;
  readonly random: RandomSource;
};
