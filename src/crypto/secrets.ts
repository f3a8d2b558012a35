// The secrets of a vault and their JSON forms. Who may hold which: docs/format.md, What each adversary can do.
// Nothing here may be logged.

import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { z } from "zod";
import type { Bytes } from "../core/bytes.ts";
import type { RandomSource } from "../core/clock.ts";
import type { MacKey } from "./primitives.ts";

/** What every enrolled device holds: names, cuts and seals, but opens nothing. */
export type WriterSecrets = {
  readonly chunkIdKey: Bytes;
  readonly chunkerKey: Bytes;
  readonly metaKey: Bytes;
  /** age recipient of the readers. */
  readonly recipient: string;
};

/** The same as backups use them: a browser keeps what only ever keys an HMAC where no script can read it. */
export type WriterKeys = Omit<WriterSecrets, "chunkIdKey" | "metaKey"> & {
  readonly chunkIdKey: MacKey;
  readonly metaKey: MacKey;
};

/** What lies in keyslots: opens everything. */
export type ReaderSecrets = {
  /** age identity, `AGE-SECRET-KEY-PQ-1…`. */
  readonly identity: string;
  readonly writer: WriterSecrets;
};

/** Secrets of a new vault. The identity comes from the age library, which has its own source of randomness. */
export async function generateSecrets(random: RandomSource): Promise<ReaderSecrets> {
  const identity = await generateHybridIdentity();
  const writer = {
    chunkIdKey: random.bytes(32),
    chunkerKey: random.bytes(16),
    metaKey: random.bytes(32),
    recipient: await identityToRecipient(identity),
  };
  return { identity, writer };
}

/** Base64 (RFC 4648, 4) of exactly `length` bytes, padded, with nothing else in it. */
export function base64Bytes(length: number | { readonly maxLength: number }) {
  return z.string().transform((text, context): Bytes => {
    const bytes = tryFromBase64(text);
    const fits = bytes && (typeof length === "number" ? bytes.length === length : bytes.length <= length.maxLength);
    if (fits) return bytes;
    context.addIssue("is not base64 of the right length");
    return z.NEVER;
  });
}

/** The `writer` part of keyslots and device files. */
export const writerSchema = z.strictObject({
  chunkIdKey: base64Bytes(32),
  chunkerKey: base64Bytes(16),
  metaKey: base64Bytes(32),
  recipient: z.string().startsWith("age1").max(4096),
});

export function writerToJson(writer: WriterSecrets): z.input<typeof writerSchema> {
  return {
    chunkIdKey: writer.chunkIdKey.toBase64(),
    chunkerKey: writer.chunkerKey.toBase64(),
    metaKey: writer.metaKey.toBase64(),
    recipient: writer.recipient,
  };
}

/** JSON of an untrusted text: undefined when it is none. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function tryFromBase64(text: string): Bytes | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
    return bytes.toBase64() === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}
