// What browsers are asked to sign. A challenge carries when it was made, and a MAC over that and what it is for, so that none has to be
// kept: a flood of questions costs no memory. Only those that were answered rightly are remembered, until they are too old anyhow.

import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock, RandomSource } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";

export const CHALLENGE_LIVES_MS = 5 * 60_000;

export type Purpose = {
  readonly deed: "confirm" | "add";
  /** Name of the server under which it is asked. */
  readonly host: string;
  /** Sign-in, if there is one, in which it is asked: a passkey is added by whoever gave the password, and in that page. */
  readonly signIn?: string;
};

const NONCE_BYTES = 24;
const MAC_BYTES = 32;

export class PasskeyChallenges {
  readonly #clock: Clock;
  readonly #random: RandomSource;
  /** Of this process only: a restart ends what is under way. */
  readonly #key: Uint8Array;
  /** Challenge → until when it must not be taken again. In the order in which they were answered. */
  readonly #spent = new Map<string, number>();

  constructor({ clock, random }: { clock: Clock; random: RandomSource }) {
    this.#clock = clock;
    this.#random = random;
    this.#key = random.bytes(32);
  }

  make(purpose: Purpose): string {
    const nonce = Buffer.from(this.#random.bytes(NONCE_BYTES));
    nonce.writeDoubleBE(this.#clock.now(), 0);
    return Buffer.concat([nonce, this.#mac(nonce, purpose)]).toString("base64url");
  }

  isGood(challenge: string, purpose: Purpose): boolean {
    const bytes = Buffer.from(challenge, "base64url");
    if (bytes.length !== NONCE_BYTES + MAC_BYTES) return false;
    const nonce = bytes.subarray(0, NONCE_BYTES);
    if (!timingSafeEqual(bytes.subarray(NONCE_BYTES), this.#mac(nonce, purpose))) return false;
    return this.#clock.now() - nonce.readDoubleBE(0) < CHALLENGE_LIVES_MS && !this.#spent.has(challenge);
  }

  /** Once it was answered rightly. Of two answers at one time, one throws `login_failed`. */
  spend(challenge: string): void {
    const now = this.#clock.now();
    for (const [each, until] of this.#spent) if (until <= now) this.#spent.delete(each);
    if (this.#spent.has(challenge)) throw new AppError("login_failed");
    this.#spent.set(challenge, now + CHALLENGE_LIVES_MS);
  }

  #mac(nonce: Uint8Array, { deed, host, signIn = "" }: Purpose): Buffer {
    return createHmac("sha256", this.#key)
      .update(nonce)
      .update(JSON.stringify([deed, host, signIn]))
      .digest();
  }
}
