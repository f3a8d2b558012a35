// Blocks: chunks put together, compressed, padded and sealed, and the way back (docs/format.md, Sealed bytes of a block).
// Sealing never reuses a counter: that is the caller's duty. Opening takes hostile bytes and answers with chunks or `block_corrupt`.

import { ByteReader, type Bytes, equalBytes, releaseBytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { padmeLength, sealAad, sealNonce } from "../crypto/sealing.ts";
import type { BlockKind } from "../wire/v4/vault-port.ts";
import type { EnginePlatform } from "./platform.ts";

export const BLOCK_LIMITS = {
  /** Plaintext at which a block is closed. */
  target: 2 * 2 ** 20,
  /** Chunks at which a block is closed: a reader that wants one tiny file opens the whole block. */
  chunks: 4096,
  /** Decoded payload that a reader accepts. */
  payload: 16 * 2 ** 20,
  sealed: 17 * 2 ** 20,
} as const;

const CODING = { raw: 0, zstd: 1 } as const;
const HEADER_BYTES = 12;

export type BlockContext = {
  readonly vaultId: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly kind: BlockKind;
  readonly counter: number;
};

export type SealedBlock = { readonly sealed: Bytes; readonly blockId: Bytes };

/** zstd level, or 0 to store without compression. */
export type CompressionLevel = number;

/** Decoded payload of a block: the chunks, then the length of each, then their count; the layout lets a writer append. */
export function blockPayload(chunks: readonly Uint8Array[]): Bytes {
  const writer = new BlockPayloadWriter();
  for (const chunk of chunks) writer.add(chunk);
  return writer.take().slice();
}

/** Collects the chunks of one block after the other in one buffer that is reused. */
export class BlockPayloadWriter {
  #buffer = new Uint8Array(64 * 1024);
  #lengths: number[] = [];
  #length = 0;

  get count(): number {
    return this.#lengths.length;
  }

  add(chunk: Uint8Array): void {
    this.#room(chunk.length);
    this.#buffer.set(chunk, this.#length);
    this.#length += chunk.length;
    this.#lengths.push(chunk.length);
  }

  /** The payload: a view that is valid until the next `add`. */
  take(): Bytes {
    const lengths = this.#lengths;
    this.#room(4 * lengths.length + 4);
    const view = new DataView(this.#buffer.buffer, this.#length);
    for (const [i, length] of lengths.entries()) view.setUint32(4 * i, length, true);
    view.setUint32(4 * lengths.length, lengths.length, true);
    const payload = this.#buffer.subarray(0, this.#length + 4 * lengths.length + 4);
    this.#lengths = [];
    this.#length = 0;
    return payload;
  }

  #room(extra: number): void {
    const need = this.#length + extra;
    if (need <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(need, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/** Compresses, pads and seals one payload made by `blockPayload`. `headroom` bytes are left free before the sealed ones. */
export async function sealBlock(
  platform: EnginePlatform,
  key: Uint8Array,
  context: BlockContext,
  payload: Uint8Array,
  level: CompressionLevel,
  headroom = 0,
): Promise<SealedBlock> {
  const packed =
    level > 0 && (await seemsCompressible(platform, payload)) ? await platform.zstd.compress(payload, level) : payload;
  const shrunk = packed.length < payload.length;
  const body = shrunk ? packed : payload;
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header[0] = shrunk ? CODING.zstd : CODING.raw;
  view.setUint32(4, body.length, true);
  view.setUint32(8, payload.length, true);
  const padding = new Uint8Array(padmeLength(HEADER_BYTES + body.length) - HEADER_BYTES - body.length);
  const nonce = sealNonce(context.kind, context.counter);
  const { primitives } = platform;
  const sealed = await primitives.gcmSeal(key, nonce, aad(context), [header, body, padding], headroom);
  if (packed !== payload) releaseBytes(packed);
  return { sealed, blockId: await primitives.sha256(sealed.subarray(headroom)) };
}

const PROBE_BYTES = 16 * 1024;
const PROBE_MIN = 512 * 1024;

/** Large payloads are probed in three places first: media and archives are not worth a full compression. */
async function seemsCompressible({ zstd }: EnginePlatform, payload: Uint8Array): Promise<boolean> {
  if (payload.length < PROBE_MIN) return true;
  for (const part of [0.2, 0.5, 0.8]) {
    const start = Math.floor(payload.length * part);
    const probe = payload.subarray(start, start + PROBE_BYTES);
    if ((await zstd.compress(probe, 1)).length < probe.length * 0.97) return true;
  }
  return false;
}

/** Opens a block and gives its chunks as views of one buffer. `blockNo` is for the message only. */
export async function openBlock(
  platform: EnginePlatform,
  key: Uint8Array,
  context: BlockContext,
  sealed: Uint8Array,
  blockNo: number,
): Promise<Uint8Array[]> {
  const fail = (detail: string, cause?: unknown): never => {
    throw new AppError("block_corrupt", { context: { blockNo, detail }, cause });
  };
  const nonce = sealNonce(context.kind, context.counter);
  const plaintext = await platform.primitives.gcmOpen(key, nonce, aad(context), sealed);
  if (!plaintext) return fail("its seal does not fit");
  const reader = new ByteReader(plaintext, fail);
  const coding = reader.u8();
  if (coding > CODING.zstd || reader.u8() + reader.u16() !== 0) fail("it has an unknown coding");
  const packedLength = reader.u32();
  const payloadLength = reader.u32();
  if (payloadLength > BLOCK_LIMITS.payload) fail(`its content of ${payloadLength} bytes is over the limit`);
  const body = reader.bytes(packedLength);
  if (
    plaintext.length !== padmeLength(HEADER_BYTES + packedLength) ||
    reader.bytes(reader.remaining).some((byte) => byte !== 0)
  ) {
    fail("its padding is wrong");
  }
  const payload = coding === CODING.raw ? body : await platform.zstd.decompress(body, payloadLength);
  if (payload !== body) releaseBytes(plaintext);
  if (payload?.length !== payloadLength) return fail("its content cannot be decompressed");
  return splitPayload(payload, fail);
}

function splitPayload(payload: Uint8Array, fail: (detail: string) => never): Uint8Array[] {
  if (payload.length < 8) fail("its content is too short");
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const count = view.getUint32(payload.length - 4, true);
  const lengthsAt = payload.length - 4 - 4 * count;
  if (count === 0 || lengthsAt < 0) fail("its chunk count is wrong");
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(lengthsAt + 4 * i, true);
    if (at + length > lengthsAt) fail("its chunk lengths are wrong");
    chunks.push(payload.subarray(at, at + length));
    at += length;
  }
  if (at !== lengthsAt) fail("its chunk lengths are wrong");
  return chunks;
}

/** True when `sealed` is the block that its id names. */
export async function isBlock(platform: EnginePlatform, sealed: Uint8Array, blockId: Uint8Array): Promise<boolean> {
  return equalBytes(await platform.primitives.sha256(sealed), blockId);
}

function aad({ vaultId, sessionId, kind, counter }: BlockContext): Bytes {
  return sealAad(vaultId, sessionId, kind, counter);
}
