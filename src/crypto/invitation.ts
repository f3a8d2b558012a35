// What is made of an invitation key, which the server never sees: a name for it, a token to prove it by, and the key that seals the
// writer secrets for the device to come. Definition: docs/protocol-v4.md, Enrolment.

import { type Bytes, concatBytes, fromHex, toHex, tryUtf8Decode, utf8 } from "../core/bytes.ts";
import type { RandomSource } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import type { VaultId } from "../core/ids.ts";
import { webPrimitives } from "./primitives.ts";
import { tryParseJson, type WriterSecrets, writerSchema, writerToJson } from "./secrets.ts";

export const INVITATION_KEY_BYTES = 32;

const LOOKUP_BYTES = 16;
const NONCE_BYTES = 12;

export type InvitationKeys = {
  /** Names the invitation: 16 bytes. */
  readonly lookup: Bytes;
  /** Proves that its holder has the key: 32 bytes. */
  readonly token: Bytes;
};

export async function invitationKeys(key: Uint8Array): Promise<InvitationKeys> {
  const [lookup, token] = [await derive(key, "lookup"), await derive(key, "token")];
  return { lookup: lookup.slice(0, LOOKUP_BYTES), token };
}

/** Its name, in hex. */
export async function invitationId(key: Uint8Array): Promise<string> {
  return toHex((await invitationKeys(key)).lookup);
}

export async function sealInvitation(
  key: Uint8Array,
  vault: VaultId,
  writer: WriterSecrets,
  random: RandomSource,
): Promise<Bytes> {
  const nonce = random.bytes(NONCE_BYTES);
  const plaintext = utf8(JSON.stringify(writerToJson(writer)));
  const sealKey = await derive(key, "seal");
  return concatBytes([nonce, await webPrimitives.gcmSeal(sealKey, nonce, await aadOf(key, vault), plaintext)]);
}

/** Throws `record_corrupt` for what was not sealed by this key for this vault. */
export async function openInvitation(key: Uint8Array, vault: VaultId, sealed: Uint8Array): Promise<WriterSecrets> {
  const [nonce, ciphertext] = [sealed.subarray(0, NONCE_BYTES), sealed.subarray(NONCE_BYTES)];
  const sealKey = await derive(key, "seal");
  const aad = await aadOf(key, vault);
  const plaintext =
    nonce.length === NONCE_BYTES ? await webPrimitives.gcmOpen(sealKey, nonce, aad, ciphertext) : undefined;
  const parsed = plaintext && writerSchema.safeParse(tryParseJson(tryUtf8Decode(plaintext) ?? ""));
  if (parsed?.success) return parsed.data;
  const detail = "what the server has for it was not sealed by whoever made the code";
  throw new AppError("record_corrupt", { context: { what: "The invitation", detail } });
}

async function aadOf(key: Uint8Array, vault: VaultId): Promise<Bytes> {
  return concatBytes([utf8("CB4 invite v1\n"), fromHex(vault), (await invitationKeys(key)).lookup]);
}

async function derive(key: Uint8Array, purpose: "lookup" | "token" | "seal"): Promise<Bytes> {
  if (key.length !== INVITATION_KEY_BYTES) {
    throw new AppError("internal", { context: { detail: `an invitation key of ${key.length} bytes` } });
  }
  return webPrimitives.hmacSha256(key, utf8(`CB4 invite ${purpose}\n`), new Uint8Array());
}
