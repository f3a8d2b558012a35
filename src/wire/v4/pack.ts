// What a pack is made of, and what is signed and hashed in it. The parts are coded in pack-header.ts, pack-frame.ts,
// pack-footer.ts and pack-trailer.ts; pack-stream.ts takes an upload apart. Layout: docs/format.md, Packs.

import { type Bytes, ByteWriter, concatBytes, fromHex, toHex, utf8 } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { BlockId, DeviceId, PackId, SessionId, VaultId } from "../../core/ids.ts";
import { sha256 } from "../../core/sha256.ts";
import type { BlockKind } from "./vault-port.ts";

export const PACK_VERSION = 1;
export const FRAME_HEADER_BYTES = 16;
/** 12 bytes of head, one of payload, 16 of tag. */
export const SEALED_MIN = 29;
export const SEALED_MAX = 17 * 1024 * 1024;
export const SEALED_KEY_MAX = 8192;
/** Of a header, and of a footer. */
export const PACK_PART_MAX = 256 * 1024 * 1024;
export const PACK_MAX_BLOCKS = 1 << 20;
export const BLOCK_MAX_CHUNKS = 1 << 20;

export type PackSession = {
  readonly session: SessionId;
  readonly device: DeviceId;
  /** The 32-byte session key as a binary age file to the reader recipient. */
  readonly sealedKey: Bytes;
};

export type BlockEntry = {
  readonly blockId: BlockId;
  /** Of the sealed bytes in the pack. */
  readonly offset: number;
  /** Of the sealed bytes. */
  readonly length: number;
  readonly counter: number;
  /** Row of its session in the header. */
  readonly sessionIndex: number;
  readonly kind: BlockKind;
  /** Ed25519 over `blockStatement`. */
  readonly signature: Bytes;
  /** 32 bytes each, one after the other, as they lie in the block. */
  readonly chunkIds: Uint8Array;
};

/** `header` and `footer` are the encoded parts. */
export async function packIdOf(header: Uint8Array, footer: Uint8Array): Promise<PackId> {
  return toHex(await sha256(concatBytes([header, footer]))) as PackId;
}

/** What the device signs of a block; `chunkIdsHash` is the SHA-256 of `BlockEntry.chunkIds`. */
export function blockStatement(
  vaultId: VaultId,
  sessionId: SessionId,
  counter: number,
  kind: BlockKind,
  blockId: Uint8Array,
  chunkIdsHash: Uint8Array,
): Bytes {
  const writer = new ByteWriter(128);
  writer.bytes(utf8("CB4 block v1\n"));
  writer.bytes(fromHex(vaultId));
  writer.bytes(fromHex(sessionId));
  writer.u32(counter);
  writer.u8(kind);
  writer.bytes(blockId);
  writer.bytes(chunkIdsHash);
  return writer.take();
}

/** How decoders of a pack refuse; `pack` is its id, or how to call it as long as it has none. */
export function failPack(pack: string): (detail: string) => never {
  return (detail) => {
    throw new AppError("pack_corrupt", { context: { pack, detail } });
  };
}

/** For a part whose id is not known yet. */
export const NEW_PACK = "(new)";
