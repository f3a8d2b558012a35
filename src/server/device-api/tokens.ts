// Tokens of devices that have logged in: held in memory only, as hashes, for a quarter of an hour. A server that starts anew knows
// none, and devices log in again.

import { createHash } from "node:crypto";
import type { Clock, RandomSource } from "../../core/clock.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import type { Parts } from "../store-parts.ts";

const LIFETIME_MS = 15 * 60_000;
/** A device that logs in again and again pushes out its own oldest token, and nobody else's. */
const PER_DEVICE = 16;

type Login = { readonly vault: VaultId; readonly device: DeviceId; readonly expiresAt: number };

export class DeviceTokens {
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #logins = new Map<string, Login>();
  /** Hashes of each device's tokens, oldest first. */
  readonly #byDevice = new Map<string, string[]>();

  constructor({ clock, random }: Parts<"clock" | "random">) {
    this.#clock = clock;
    this.#random = random;
  }

  give(vault: VaultId, device: DeviceId): { token: string; expiresAt: number } {
    const token = this.#random.bytes(32).toBase64({ alphabet: "base64url", omitPadding: true });
    const expiresAt = this.#clock.now() + LIFETIME_MS;
    const hash = hashOf(token);
    this.#logins.set(hash, { vault, device, expiresAt });
    const own = this.#byDevice.get(keyOf(vault, device)) ?? [];
    own.push(hash);
    this.#byDevice.set(keyOf(vault, device), own);
    if (own.length > PER_DEVICE) this.#logins.delete(own.shift()!);
    return { token, expiresAt };
  }

  /** undefined when the token is not known, or no more. */
  whose(token: string): Login | undefined {
    const login = this.#logins.get(hashOf(token));
    return login !== undefined && login.expiresAt > this.#clock.now() ? login : undefined;
  }

  /** Ends all tokens of a device. */
  drop(vault: VaultId, device: DeviceId): void {
    const key = keyOf(vault, device);
    for (const hash of this.#byDevice.get(key) ?? []) this.#logins.delete(hash);
    this.#byDevice.delete(key);
  }

  /** Devices of the vault that have a token. */
  devicesOf(vault: VaultId): DeviceId[] {
    const prefix = keyOf(vault, "" as DeviceId);
    return [...this.#byDevice.keys()].flatMap((key) =>
      key.startsWith(prefix) ? [key.slice(prefix.length) as DeviceId] : [],
    );
  }

  /** Forgets what has expired. */
  sweep(): void {
    const now = this.#clock.now();
    for (const [key, hashes] of this.#byDevice) {
      const left = hashes.filter((hash) => (this.#logins.get(hash)?.expiresAt ?? 0) > now);
      for (const hash of hashes) if (!left.includes(hash)) this.#logins.delete(hash);
      if (left.length === 0) this.#byDevice.delete(key);
      else this.#byDevice.set(key, left);
    }
  }
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function keyOf(vault: VaultId, device: DeviceId): string {
  return `${vault}/${device}`;
}
