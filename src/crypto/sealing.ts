// What binds sealed bytes to their place: nonce, associated data and padded length. AES-256-GCM itself is in primitives.ts.
// Layout: docs/format.md, Sealed bytes of a block.

import { type Bytes, ByteWriter, utf8 } from "../core/bytes.ts";

/** 1 data, 2 tree, 3 snapshot info. */
export type SealKind = 1 | 2 | 3;

const AAD_PREFIX = utf8("CB4 seal v1\n");

/** `length` rounded up as Padmé has it (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", PETS 2019, §4). */
export function padmeLength(length: number): number {
  if (length < 2) return length;
  const exponent = floorLog2(length);
  const unit = 2 ** (exponent - floorLog2(exponent) - 1);
  return Math.ceil(length / unit) * unit;
}

/** 12 bytes. A counter is used once for a kind under one session key: GCM breaks when a nonce comes twice. */
export function sealNonce(kind: SealKind, counter: number): Bytes {
  const writer = new ByteWriter(12);
  writer.u32(kind);
  writer.u64(counter);
  return writer.take();
}

/** `vaultId` and `sessionId` are 16 bytes each. */
export function sealAad(vaultId: Uint8Array, sessionId: Uint8Array, kind: SealKind, counter: number): Bytes {
  const writer = new ByteWriter(64);
  writer.bytes(AAD_PREFIX);
  writer.bytes(vaultId);
  writer.bytes(sessionId);
  writer.u8(kind);
  writer.u64(counter);
  return writer.take();
}

/** -1 for 0. Exact for every safe integer, which Math.log2 is not. */
function floorLog2(value: number): number {
  const high = Math.floor(value / 2 ** 31);
  return high > 0 ? 62 - Math.clz32(high) : 31 - Math.clz32(value);
}
