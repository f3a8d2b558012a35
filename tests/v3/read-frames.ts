// Whole messages of protocol 3 out of slices, for tests that compare what was read.

import { concatBytes } from "../../src/core/bytes.ts";
import { ReplyReader, RequestReader } from "../../src/wire/v3/frame-reader.ts";
import type { PacketHead, Reply, RequestHeader } from "../../src/wire/v3/messages.ts";

export type ReadRequest = {
  readonly header: RequestHeader;
  readonly payload: Uint8Array | undefined;
  readonly head: PacketHead | undefined;
  readonly content: Uint8Array;
};

const MAX_PAYLOAD_BYTES = 2 ** 20;

/** The whole requests among the slices. Throws what the reader throws, and an Error when parts come in a wrong order. */
export function readRequests(slices: Iterable<Uint8Array>): ReadRequest[] {
  const reader = new RequestReader({ maxPayloadBytes: MAX_PAYLOAD_BYTES });
  const requests: ReadRequest[] = [];
  let header: RequestHeader | undefined;
  let payload: Uint8Array | undefined;
  let head: PacketHead | undefined;
  let content: Uint8Array[] = [];
  for (const slice of slices) {
    for (const part of reader.push(slice)) {
      if ((part.kind === "request") !== (header === undefined)) throw new Error(`${part.kind} out of order`);
      if (part.kind === "content" && !head) throw new Error("content without a head");
      if (part.kind === "request") header = part.header;
      else if (part.kind === "payload") payload = part.bytes;
      else if (part.kind === "packet") head = part.head;
      else if (part.kind === "content") content.push(part.bytes.slice());
      else {
        requests.push({ header: header!, payload, head, content: concatBytes(content) });
        header = payload = head = undefined;
        content = [];
      }
    }
  }
  if (reader.isBetweenFrames && header) throw new Error("a frame did not end");
  return requests;
}

export function readReplies(slices: Iterable<Uint8Array>): Reply[] {
  const reader = new ReplyReader();
  const replies: Reply[] = [];
  for (const slice of slices) replies.push(...reader.push(slice));
  return replies;
}
