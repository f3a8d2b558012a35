// Replies of protocol 3 to bytes and back (docs/protocol-v3.md, Replies). A frame is a header of 7 bytes and a payload.

import { type Bytes, ByteWriter } from "../../core/bytes.ts";
import {
  decodeClientId,
  decodeName,
  encodeClientId,
  encodeName,
  failV3,
  REPLY,
  type Reply,
  replySize,
  V3_BYTES,
  V3_VERSION,
  v3Reader,
} from "./messages.ts";

export function encodeReply(reply: Reply): Bytes {
  const writer = new ByteWriter(V3_BYTES.replyHeader + V3_BYTES.fileReceived);
  writer.u8(V3_VERSION);
  writer.u16(reply.code);
  writer.u32(replySize(reply.code)!);
  if ("client" in reply) writer.bytes(encodeClientId(reply.client));
  switch (reply.code) {
    case REPLY.keyReceived:
    case REPLY.reconnected:
      writer.bytes(reply.wrappedKey);
      break;
    case REPLY.fileReceived:
      writer.u32(reply.cipherBytes);
      writer.bytes(encodeName(reply.name));
      writer.u32(reply.cksum);
      break;
  }
  return writer.take();
}

/** Code and payload size of a reply's header. Throws `v3_protocol` for another version, an unknown code or a wrong size. */
export function decodeReplyHeader(bytes: Uint8Array): { readonly code: Reply["code"]; readonly payloadBytes: number } {
  const reader = v3Reader(bytes);
  const version = reader.u8();
  const code = reader.u16();
  const payloadBytes = reader.u32();
  reader.end();
  if (version !== V3_VERSION) failV3(`a reply has version ${version}`);
  const expected = replySize(code);
  if (expected === undefined) return failV3(`a reply has the unknown code ${code}`);
  if (payloadBytes !== expected) failV3(`a reply ${code} has ${payloadBytes} bytes, not ${expected}`);
  return { code: code as Reply["code"], payloadBytes };
}

/** Throws `v3_protocol` when the payload does not fit the code. */
export function decodeReply(code: Reply["code"], payload: Uint8Array): Reply {
  const reader = v3Reader(payload);
  const reply = readReply(code, reader);
  reader.end();
  return reply;
}

function readReply(code: Reply["code"], reader: ReturnType<typeof v3Reader>): Reply {
  switch (code) {
    case REPLY.nameTaken:
    case REPLY.error:
      return { code };
    case REPLY.registered:
    case REPLY.acknowledged:
    case REPLY.reconnectRefused:
      return { code, client: decodeClientId(reader.bytes(V3_BYTES.id)) };
    case REPLY.keyReceived:
    case REPLY.reconnected: {
      const client = decodeClientId(reader.bytes(V3_BYTES.id));
      return { code, client, wrappedKey: Uint8Array.from(reader.bytes(V3_BYTES.wrappedKey)) };
    }
    case REPLY.fileReceived: {
      const client = decodeClientId(reader.bytes(V3_BYTES.id));
      const cipherBytes = reader.u32();
      const name = decodeName(reader.bytes(V3_BYTES.name)) ?? failV3("a reply holds a name that is not UTF-8");
      return { code, client, cipherBytes, name, cksum: reader.u32() };
    }
  }
}
