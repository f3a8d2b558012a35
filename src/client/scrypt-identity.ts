// The scrypt recipient type of age with Node's native scrypt, which is several times faster than the library's JavaScript.
// Source: age-encryption.org/v1, C2SP age.md, "The scrypt recipient type"; ChaCha20-Poly1305 as in RFC 8439.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { type Identity, type Recipient, Stanza } from "age-encryption";
import { AppError } from "../core/errors.ts";
import { warmAge } from "../crypto/age.ts";
import { deriveScrypt } from "./scrypt.ts";

const SALT_BYTES = 16;
const TAG_BYTES = 16;
const FILE_KEY_BYTES = 16;
/** Higher ones would let a hostile file take minutes and gigabytes. */
const MAX_LOG_N = 20;
/** A key derived by scrypt encrypts one file key only, so age fixes the nonce at zero. */
const ZERO_NONCE = new Uint8Array(12);

export function nativeScryptRecipient(passphrase: string, logN: number): Recipient {
  requireLogN(logN);
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(SALT_BYTES);
      const cipher = createCipheriv("chacha20-poly1305", await deriveScrypt({ passphrase, salt, logN }), ZERO_NONCE, {
        authTagLength: TAG_BYTES,
      });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [new Stanza(["scrypt", encodeBase64(salt), String(logN)], body)];
    },
  };
}

export function nativeScryptIdentity(passphrase: string): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const stanza = stanzas.find(({ args }) => args[0] === "scrypt");
      if (!stanza) return null;
      // "There MUST NOT be any other stanzas in the header": else two passphrases would open one file.
      if (stanzas.length !== 1) throw corrupt("a passphrase stands beside other keys");
      const { salt, logN } = readArguments(stanza.args);
      if (stanza.body.length !== FILE_KEY_BYTES + TAG_BYTES) throw corrupt("its file key has the wrong length");
      const derived = deriveScrypt({ passphrase, salt, logN });
      // It is derived in a thread of its own: this one has nothing else to do.
      await Promise.all([derived, warmAge()]);
      return openFileKey(stanza.body, await derived);
    },
  };
}

function readArguments(args: readonly string[]): { salt: Uint8Array; logN: number } {
  const [, saltText = "", logNText = ""] = args;
  if (args.length !== 3 || !/^[A-Za-z0-9+/]{22}$/.test(saltText) || !/^[1-9][0-9]?$/.test(logNText)) {
    throw corrupt("its scrypt line is malformed");
  }
  const salt = Buffer.from(saltText, "base64");
  if (encodeBase64(salt) !== saltText) throw corrupt("its scrypt line is malformed");
  const logN = Number(logNText);
  requireLogN(logN);
  return { salt, logN };
}

function openFileKey(body: Uint8Array, key: Uint8Array): Uint8Array | null {
  const decipher = createDecipheriv("chacha20-poly1305", key, ZERO_NONCE, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(body.subarray(FILE_KEY_BYTES));
  const fileKey = new Uint8Array(decipher.update(body.subarray(0, FILE_KEY_BYTES)));
  try {
    decipher.final();
    return fileKey;
  } catch {
    return null;
  }
}

function requireLogN(logN: number): void {
  if (!(logN <= MAX_LOG_N))
    throw new AppError("limit", { context: { what: "The scrypt work factor", limit: MAX_LOG_N } });
}

/** Without padding, as age writes it. */
function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}

function corrupt(detail: string): AppError {
  return new AppError("record_corrupt", { context: { what: "A keyslot", detail } });
}
