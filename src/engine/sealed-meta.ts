// What is kept at a server for people who hold a vault's keys, sealed with its `metaKey` (docs/format.md, Sealed for the people of a vault): bound
// to the vault, to the device that it is about, and to its own id and version, so that a server cannot swap one for another.

import { ByteReader, type Bytes, ByteWriter, concatBytes, fromHex, utf8 } from "../core/bytes.ts";
import type { RandomSource } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import type { DeviceId, VaultId } from "../core/ids.ts";
import { type MacKey, webPrimitives } from "../crypto/primitives.ts";
import { padmeLength } from "../crypto/sealing.ts";
import { RUN_LIMITS } from "../wire/v4/api/run-routes.ts";
import { decodeMap, encodeMap, failRecord } from "../wire/v4/envelope.ts";

export const META_RUN_DETAILS = 1;
export const META_PLAN = 2;

export type MetaAbout = {
  readonly kind: typeof META_RUN_DETAILS | typeof META_PLAN;
  readonly vault: VaultId;
  readonly device: DeviceId;
  /** Of the run or the plan: 16 bytes, hex. */
  readonly id: string;
  /** Of a plan; 0 for details. */
  readonly version: number;
};

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;
const AAD_PREFIX = utf8("CB4 meta v1\n");
const KEY_PREFIX = utf8("CB4 meta seal v1\n");
const WHAT = "What was sealed for the people of the vault";

/** Of what a body may take before it is padded and sealed. */
export const META_BODY_BYTES = 60 * 1024;

/** Throws `limit` for what is too large. */
export async function sealMeta(
  metaKey: MacKey,
  about: MetaAbout,
  body: Readonly<Record<string, unknown>>,
  random: RandomSource,
): Promise<Bytes> {
  const encoded = encodeMap({ ...body });
  if (encoded.length > META_BODY_BYTES) {
    throw new AppError("limit", { context: { what: WHAT, limit: `${META_BODY_BYTES / 1024} KiB` } });
  }
  const padded = new ByteWriter(padmeLength(LENGTH_BYTES + encoded.length));
  padded.u32(encoded.length);
  padded.bytes(encoded);
  const plaintext = new Uint8Array(padmeLength(LENGTH_BYTES + encoded.length));
  plaintext.set(padded.take());
  const nonce = random.bytes(NONCE_BYTES);
  const sealed = await webPrimitives.gcmSeal(await keyOf(metaKey, about.kind), nonce, aadOf(about), plaintext);
  return concatBytes([Uint8Array.of(VERSION), nonce, sealed]);
}

/** The body, to be judged by whoever knows its kind. Throws `record_corrupt` for what was not sealed for this, `vault_version`. */
export async function openMeta(metaKey: MacKey, about: MetaAbout, sealed: Uint8Array): Promise<unknown> {
  const fail = failRecord(WHAT);
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES || sealed.length > RUN_LIMITS.sealedBytes)
    fail("its length is wrong");
  if (sealed[0] !== VERSION) throw new AppError("vault_version", { context: { version: sealed[0]! } });
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const key = await keyOf(metaKey, about.kind);
  const plaintext = await webPrimitives.gcmOpen(key, nonce, aadOf(about), sealed.subarray(1 + NONCE_BYTES));
  if (plaintext === undefined) return fail("it was not sealed for this place by a device of the vault");
  const reader = new ByteReader(plaintext, fail);
  const body = reader.bytes(reader.u32());
  if (plaintext.subarray(LENGTH_BYTES + body.length).some((byte) => byte !== 0)) fail("its padding is not empty");
  return decodeMap(body, WHAT);
}

async function keyOf(metaKey: MacKey, kind: number): Promise<Bytes> {
  return webPrimitives.hmacSha256(metaKey, KEY_PREFIX, Uint8Array.of(kind));
}

function aadOf({ kind, vault, device, id, version }: MetaAbout): Bytes {
  const writer = new ByteWriter(AAD_PREFIX.length + 1 + 3 * 16 + 8);
  writer.bytes(AAD_PREFIX);
  writer.u8(kind);
  writer.bytes(fromHex(vault));
  writer.bytes(fromHex(device));
  writer.bytes(fromHex(id));
  writer.u64(version);
  return writer.take();
}
