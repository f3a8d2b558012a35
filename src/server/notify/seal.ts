// Seals what must not be read in a copy of server.db: addresses with tokens in them, secrets. AES-256-GCM under a key derived
// (HKDF-SHA-256) from DATA/auth-secret, bound to the row that it stands in. Without that file they must be entered again.

import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import type { RandomSource } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { Parts } from "../store-parts.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export type Target = {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  /** Signs webhooks. */
  readonly secret?: string | undefined;
};

export class TargetSeal {
  readonly #key: Uint8Array;
  readonly #random: RandomSource;

  constructor({ authSecret, random }: Parts<"random"> & { readonly authSecret: string }) {
    this.#key = new Uint8Array(hkdfSync("sha256", authSecret, "", "CB4 notification targets v1", 32));
    this.#random = random;
  }

  seal(row: string, target: Target): Uint8Array {
    const nonce = this.#random.bytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(Buffer.from(row));
    const sealed = [nonce, cipher.update(JSON.stringify(target)), cipher.final()];
    return Buffer.concat([...sealed, cipher.getAuthTag()]);
  }

  /** Throws `notification_failed` when it was sealed with another secret. */
  open(row: string, sealed: Uint8Array): Target {
    try {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const opener = createDecipheriv("aes-256-gcm", this.#key, nonce).setAAD(Buffer.from(row));
      opener.setAuthTag(sealed.subarray(-TAG_BYTES));
      const text = Buffer.concat([opener.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), opener.final()]);
      return JSON.parse(text.toString()) as Target;
    } catch (cause) {
      const detail = "its address was sealed with a secret that is gone; enter it again";
      throw new AppError("notification_failed", { cause, context: { detail } });
    }
  }
}
