// Challenges of logins. They are not kept: each carries its time and a keyed hash by which this server knows its own, so that
// asking for millions of them costs nothing. Only those that were used are remembered, until they are too old anyway.
//
// 0: 8 bytes time (milliseconds, big-endian) ‖ 8: 8 random bytes ‖ 16: first 16 bytes of HMAC-SHA-256(key, bytes 0-15 ‖ vault ‖ device)

import { createHmac, timingSafeEqual } from "node:crypto";
import { type Bytes, fromHex, toHex } from "../../core/bytes.ts";
import type { Clock, RandomSource } from "../../core/clock.ts";
import { type DeviceId, ID_BYTES, type VaultId } from "../../core/ids.ts";

const LIFETIME_MS = 60_000;
const HEAD_BYTES = 16;

export class Challenges {
  readonly #clock: Clock;
  readonly #random: RandomSource;
  /** Of this process: challenges do not outlive it. */
  readonly #key: Bytes;
  /** Used ones and when they end. Only devices that have proven themselves add to it. */
  readonly #used = new Map<string, number>();

  constructor({ clock, random }: { readonly clock: Clock; readonly random: RandomSource }) {
    this.#clock = clock;
    this.#random = random;
    this.#key = random.bytes(32);
  }

  make(vault: VaultId, device: DeviceId): { challenge: Bytes; expiresAt: number } {
    const now = this.#clock.now();
    const challenge = new Uint8Array(32);
    new DataView(challenge.buffer).setBigUint64(0, BigInt(now));
    challenge.set(this.#random.bytes(8), 8);
    challenge.set(this.#mac(challenge, vault, device), HEAD_BYTES);
    return { challenge, expiresAt: now + LIFETIME_MS };
  }

  /** False for one that is not ours, too old, or used. */
  isGood(challenge: Uint8Array, vault: VaultId, device: DeviceId): boolean {
    if (!timingSafeEqual(challenge.subarray(HEAD_BYTES), this.#mac(challenge, vault, device))) return false;
    return endOf(challenge) > this.#clock.now() && !this.#used.has(toHex(challenge));
  }

  /** False when it was used already. */
  use(challenge: Uint8Array): boolean {
    const name = toHex(challenge);
    if (this.#used.has(name)) return false;
    this.#used.set(name, endOf(challenge));
    return true;
  }

  sweep(): void {
    const now = this.#clock.now();
    for (const [name, end] of this.#used) if (end <= now) this.#used.delete(name);
  }

  /** An id for a vault that there is none of: always the same one for a name, so that asking twice tells nothing. */
  inventedId(name: string): VaultId {
    const mac = createHmac("sha256", this.#key).update("vault\0").update(name).digest();
    return toHex(mac.subarray(0, ID_BYTES.vault)) as VaultId;
  }

  #mac(challenge: Uint8Array, vault: VaultId, device: DeviceId): Uint8Array {
    const mac = createHmac("sha256", this.#key).update(challenge.subarray(0, HEAD_BYTES));
    return mac.update(fromHex(vault)).update(fromHex(device)).digest().subarray(0, HEAD_BYTES);
  }
}

function endOf(challenge: Uint8Array): number {
  return Number(new DataView(challenge.buffer, challenge.byteOffset).getBigUint64(0)) + LIFETIME_MS;
}
