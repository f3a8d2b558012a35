// Challenges that are not kept: each carries its time and a keyed hash by which this process knows its own, so that asking for millions of
// them costs nothing. Only those that were used are remembered, until they are too old anyhow. Of this process: a restart ends what is under way.
//
// 0: 8 bytes time (milliseconds, big-endian) ‖ 8: 8 random bytes ‖ 16: first 16 bytes of HMAC-SHA-256(key, bytes 0-15 ‖ purpose ‖ context)

import { createHmac, timingSafeEqual } from "node:crypto";
import { type Bytes, toHex } from "../core/bytes.ts";
import type { Clock, RandomSource } from "../core/clock.ts";
import type { Parts } from "./store-parts.ts";

/** One byte each, so that what was asked for one thing is never an answer to another. */
export const PURPOSE = { login: 1, passkeyConfirm: 2, passkeyAdd: 3, inventedVault: 4 } as const;
export type Purpose = (typeof PURPOSE)[keyof typeof PURPOSE];

const BYTES = 32;
const HEAD_BYTES = 16;

export class KeyedChallenges {
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #livesMs: number;
  readonly #key: Bytes;
  /** Used ones, and until when they must not be taken again: in this order. Only who has answered rightly adds to it. */
  readonly #used = new Map<string, number>();

  constructor({ clock, random, livesMs }: Parts<"clock" | "random"> & { readonly livesMs: number }) {
    this.#clock = clock;
    this.#random = random;
    this.#livesMs = livesMs;
    this.#key = random.bytes(32);
  }

  /** `context` is whatever the answer must be about: who, where. */
  make(purpose: Purpose, context: Uint8Array): { challenge: Bytes; expiresAt: number } {
    const now = this.#clock.now();
    const challenge = new Uint8Array(BYTES);
    new DataView(challenge.buffer).setBigUint64(0, BigInt(now));
    challenge.set(this.#random.bytes(8), 8);
    challenge.set(this.#mac(challenge.subarray(0, HEAD_BYTES), purpose, context), HEAD_BYTES);
    return { challenge, expiresAt: now + this.#livesMs };
  }

  /** False for one that is not ours, for something else, too old, or used. */
  isGood(challenge: Uint8Array, purpose: Purpose, context: Uint8Array): boolean {
    if (challenge.length !== BYTES) return false;
    const mac = this.#mac(challenge.subarray(0, HEAD_BYTES), purpose, context);
    if (!timingSafeEqual(challenge.subarray(HEAD_BYTES), mac)) return false;
    const madeAt = Number(new DataView(challenge.buffer, challenge.byteOffset).getBigUint64(0));
    return this.#clock.now() < madeAt + this.#livesMs && !this.#used.has(toHex(challenge));
  }

  /** Once it was answered rightly. False when it was used already: of two answers at one time, one is refused. */
  use(challenge: Uint8Array): boolean {
    this.#sweep();
    const name = toHex(challenge);
    if (this.#used.has(name)) return false;
    this.#used.set(name, this.#clock.now() + this.#livesMs);
    return true;
  }

  /** 16 bytes that are always the same for a text, and that nobody else can tell from random ones. */
  mark(purpose: Purpose, text: Uint8Array): Uint8Array {
    return this.#mac(new Uint8Array(HEAD_BYTES), purpose, text);
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const [name, until] of this.#used) {
      if (until > now) return;
      this.#used.delete(name);
    }
  }

  #mac(head: Uint8Array, purpose: Purpose, context: Uint8Array): Uint8Array {
    const mac = createHmac("sha256", this.#key).update(head).update(Uint8Array.of(purpose)).update(context).digest();
    return mac.subarray(0, BYTES - HEAD_BYTES);
  }
}
