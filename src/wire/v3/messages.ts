// The words of protocol 3: codes, sizes and what each message holds (docs/protocol-v3.md). Bytes only: no sockets, no cryptography.
// Nothing of CyberBackup 4 may be built on these layouts; they are kept for the machines that nobody will touch this year.

import { ByteReader, type Bytes, fromHex, toHex, tryUtf8Decode, utf8 } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { V3ClientId } from "../../core/ids.ts";

export const V3_VERSION = 3;

export const REQUEST = {
  register: 1025,
  publicKey: 1026,
  reconnect: 1027,
  packet: 1028,
  checksumRight: 1029,
  checksumWrong: 1030,
  checksumFailed: 1031,
} as const;

export const REPLY = {
  registered: 1600,
  nameTaken: 1601,
  keyReceived: 1602,
  fileReceived: 1603,
  acknowledged: 1604,
  reconnected: 1605,
  reconnectRefused: 1606,
  error: 1607,
} as const;

export const V3_BYTES = {
  id: 16,
  requestHeader: 23,
  replyHeader: 7,
  name: 255,
  /** SPKI of RSA-1024 with the exponent 17 of Crypto++, and with 65537. */
  publicKey: 160,
  longPublicKey: 162,
  wrappedKey: 128,
  /** What stands before the ciphertext in a file packet. */
  packetHead: 267,
  fileReceived: 279,
} as const;

/** The id that a client without one sends. */
export const NO_CLIENT = "00".repeat(V3_BYTES.id) as V3ClientId;

export type RequestHeader = {
  readonly client: V3ClientId;
  readonly version: number;
  readonly code: number;
  readonly payloadBytes: number;
};

/** The head of a file packet, 1028. A name that is no UTF-8 or never ends is undefined. */
export type PacketHead = {
  /** What the packet says of its own ciphertext; the frame may say otherwise. */
  readonly cipherBytes: number;
  /** Plaintext of the whole file. */
  readonly plainBytes: number;
  /** From 1. */
  readonly number: number;
  readonly total: number;
  readonly name: string | undefined;
};

export type Reply =
  | { readonly code: typeof REPLY.registered; readonly client: V3ClientId }
  | { readonly code: typeof REPLY.nameTaken }
  | {
      readonly code: typeof REPLY.keyReceived | typeof REPLY.reconnected;
      readonly client: V3ClientId;
      readonly wrappedKey: Bytes;
    }
  | {
      readonly code: typeof REPLY.fileReceived;
      readonly client: V3ClientId;
      /** Ciphertext of the whole file. */
      readonly cipherBytes: number;
      readonly name: string;
      readonly cksum: number;
    }
  | { readonly code: typeof REPLY.acknowledged | typeof REPLY.reconnectRefused; readonly client: V3ClientId }
  | { readonly code: typeof REPLY.error };

/** Requests whose payload is a name and nothing else. */
export type NameRequestCode = Exclude<
  (typeof REQUEST)[keyof typeof REQUEST],
  typeof REQUEST.publicKey | typeof REQUEST.packet
>;

/** Payload sizes that a request may have; undefined for file packets, which say their own, and for codes that nobody knows. */
export function requestSizes(code: number): readonly number[] | undefined {
  switch (code) {
    case REQUEST.register:
    case REQUEST.reconnect:
    case REQUEST.checksumRight:
    case REQUEST.checksumWrong:
    case REQUEST.checksumFailed:
      return [V3_BYTES.name];
    case REQUEST.publicKey:
      return [V3_BYTES.name + V3_BYTES.publicKey, V3_BYTES.name + V3_BYTES.longPublicKey];
    default:
      return undefined;
  }
}

/** The payload size of a reply; undefined for codes that nobody knows. */
export function replySize(code: number): number | undefined {
  switch (code) {
    case REPLY.registered:
    case REPLY.acknowledged:
    case REPLY.reconnectRefused:
      return V3_BYTES.id;
    case REPLY.keyReceived:
    case REPLY.reconnected:
      return V3_BYTES.id + V3_BYTES.wrappedKey;
    case REPLY.fileReceived:
      return V3_BYTES.fileReceived;
    case REPLY.nameTaken:
    case REPLY.error:
      return 0;
    default:
      return undefined;
  }
}

/** The text before the first NUL; undefined when there is no NUL or the bytes are not UTF-8. What follows the NUL is ignored. */
export function decodeName(field: Uint8Array): string | undefined {
  const end = field.indexOf(0);
  return end < 0 ? undefined : tryUtf8Decode(field.subarray(0, end));
}

/** A zero-padded field of 255 bytes. Throws `usage` for a name that does not fit with its NUL. */
export function encodeName(name: string): Bytes {
  const bytes = utf8(name);
  if (bytes.length >= V3_BYTES.name || bytes.includes(0)) {
    throw new AppError("usage", {
      context: { detail: `A name of protocol 3 takes at most ${V3_BYTES.name - 1} bytes, none of them zero.` },
    });
  }
  const field = new Uint8Array(V3_BYTES.name);
  field.set(bytes);
  return field;
}

export function decodeClientId(bytes: Uint8Array): V3ClientId {
  return toHex(bytes) as V3ClientId;
}

export function encodeClientId(client: V3ClientId): Bytes {
  return fromHex(client);
}

export function v3Reader(bytes: Uint8Array): ByteReader {
  return new ByteReader(bytes, failV3);
}

/** Throws `v3_protocol`. */
export function failV3(detail: string): never {
  throw new AppError("v3_protocol", { context: { detail } });
}
