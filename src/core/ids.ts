// Branded ids. Ids that are rare travel as lower-case hex strings, ids that come by the million as 32 bytes.

import type { Bytes } from "./bytes.ts";

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** 16 random bytes, hex. */
export type VaultId = Branded<string, "VaultId">;
/** 16 random bytes, hex; chosen by the device for each session. */
export type SessionId = Branded<string, "SessionId">;
/** First 16 bytes of SHA-256 of the device's raw Ed25519 public key, hex. */
export type DeviceId = Branded<string, "DeviceId">;
/** SHA-256 that ends a snapshot record, hex (64 characters). */
export type SnapshotId = Branded<string, "SnapshotId">;
/** SHA-256 of a pack's header and footer, hex (64 characters). */
export type PackId = Branded<string, "PackId">;
/** First 16 bytes of SHA-256 of the keyslot file, hex. */
export type KeyslotId = Branded<string, "KeyslotId">;
/** HMAC-SHA-256 of kind and plaintext, 32 bytes. */
export type ChunkId = Branded<Bytes, "ChunkId">;
/** SHA-256 of a block's sealed bytes, 32 bytes. */
export type BlockId = Branded<Bytes, "BlockId">;
/** 16-byte keyed token that stands for a plan's or tag's name, hex. */
export type NameToken = Branded<string, "NameToken">;
/** 16 bytes that a server of protocol 3 gave its client, hex. */
export type V3ClientId = Branded<string, "V3ClientId">;

export const ID_BYTES = {
  vault: 16,
  session: 16,
  device: 16,
  snapshot: 32,
  pack: 32,
  keyslot: 16,
  token: 16,
  chunk: 32,
  block: 32,
} as const;
