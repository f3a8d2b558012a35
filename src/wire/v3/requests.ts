// Requests of protocol 3 to bytes and back (docs/protocol-v3.md, Requests). A frame is a header of 23 bytes and a payload.

import { type Bytes, ByteWriter } from "../../core/bytes.ts";
import type { V3ClientId } from "../../core/ids.ts";
import {
  decodeClientId,
  decodeName,
  encodeClientId,
  encodeName,
  failV3,
  type NameRequestCode,
  NO_CLIENT,
  type PacketHead,
  REQUEST,
  type RequestHeader,
  V3_BYTES,
  V3_VERSION,
  v3Reader,
} from "./messages.ts";

export function encodeRequestHeader(client: V3ClientId, code: number, payloadBytes: number): Bytes {
  const writer = new ByteWriter(V3_BYTES.requestHeader);
  writeHeader(writer, client, code, payloadBytes);
  return writer.take();
}

/** 1025, 1027, 1029, 1030 and 1031. A client that registers has no id yet and sends zeros. */
export function encodeNameRequest(code: NameRequestCode, client: V3ClientId | undefined, name: string): Bytes {
  const writer = new ByteWriter(V3_BYTES.requestHeader + V3_BYTES.name);
  writeHeader(writer, client ?? NO_CLIENT, code, V3_BYTES.name);
  writer.bytes(encodeName(name));
  return writer.take();
}

/** 1026. `publicKey` is SPKI DER. */
export function encodePublicKeyRequest(client: V3ClientId, name: string, publicKey: Uint8Array): Bytes {
  const writer = new ByteWriter(V3_BYTES.requestHeader + V3_BYTES.name + publicKey.length);
  writeHeader(writer, client, REQUEST.publicKey, V3_BYTES.name + publicKey.length);
  writer.bytes(encodeName(name));
  writer.bytes(publicKey);
  return writer.take();
}

/** Header and head of a 1028: `cipherBytes` bytes of ciphertext follow, which are not copied for it. */
export function encodePacketHead(client: V3ClientId, head: PacketHead & { readonly name: string }): Bytes {
  const writer = new ByteWriter(V3_BYTES.requestHeader + V3_BYTES.packetHead);
  writeHeader(writer, client, REQUEST.packet, V3_BYTES.packetHead + head.cipherBytes);
  writer.u32(head.cipherBytes);
  writer.u32(head.plainBytes);
  writer.u16(head.number);
  writer.u16(head.total);
  writer.bytes(encodeName(head.name));
  return writer.take();
}

/** Takes any 23 bytes: what the fields may hold is for the reader of the frame to say. */
export function decodeRequestHeader(bytes: Uint8Array): RequestHeader {
  const reader = v3Reader(bytes);
  const client = decodeClientId(reader.bytes(V3_BYTES.id));
  const version = reader.u8();
  const code = reader.u16();
  const payloadBytes = reader.u32();
  reader.end();
  return { client, version, code, payloadBytes };
}

export function decodePacketHead(bytes: Uint8Array): PacketHead {
  const reader = v3Reader(bytes);
  const cipherBytes = reader.u32();
  const plainBytes = reader.u32();
  const number = reader.u16();
  const total = reader.u16();
  const name = decodeName(reader.bytes(V3_BYTES.name));
  reader.end();
  return { cipherBytes, plainBytes, number, total, name };
}

/** The payload of a 1026. Throws `v3_protocol` when the sizes are not those of a key. */
export function decodePublicKeyPayload(payload: Uint8Array): { name: string | undefined; publicKey: Bytes } {
  const keyBytes = payload.length - V3_BYTES.name;
  if (keyBytes !== V3_BYTES.publicKey && keyBytes !== V3_BYTES.longPublicKey) failV3("a public key has another size");
  return {
    name: decodeName(payload.subarray(0, V3_BYTES.name)),
    publicKey: Uint8Array.from(payload.subarray(V3_BYTES.name)),
  };
}

function writeHeader(writer: ByteWriter, client: V3ClientId, code: number, payloadBytes: number): void {
  writer.bytes(encodeClientId(client));
  writer.u8(V3_VERSION);
  writer.u16(code);
  writer.u32(payloadBytes);
}
