// The frame readers of protocol 3 under damage and malice. What they make of a stream may not depend on how it is cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, fromHex } from "../../src/core/bytes.ts";
import { isAppError } from "../../src/core/errors.ts";
import { decodeReplyHeader } from "../../src/wire/v3/replies.ts";
import { decodePacketHead, decodePublicKeyPayload, decodeRequestHeader } from "../../src/wire/v3/requests.ts";
import { surviveMutations } from "../mutate.ts";
import { readReplies, readRequests } from "../v3/read-frames.ts";
import { slicings } from "../v3/slices.ts";
import vectors from "../vectors/protocol-v3.json" with { type: "json" };

const { "1028_multi_20_byte_packets": packets, ...single } = vectors.requests;
const requests = [...Object.values(single), ...packets].map((hex) => fromHex(hex));
const replies = Object.values(vectors.responses).map((hex) => fromHex(hex));

/** Reads the stream in a few cuts; all of them must give the same, be it an error. */
function readEvenly<T>(input: Uint8Array, read: (slices: Iterable<Uint8Array>) => T[]): T[] {
  const outcomes = [...slicings(input, 1, input.length)].slice(1).map((slices) => outcomeOf(() => read(slices)));
  for (const outcome of outcomes) assert.deepEqual(outcome, outcomes[0]);
  return read([input]);
}

function outcomeOf<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (!isAppError(error, "v3_protocol")) throw error;
    return error.message;
  }
}

test("requests", async () => {
  await surviveMutations({
    samples: [...requests, concatBytes(requests)],
    decode: (input) => readEvenly(input, readRequests),
    check: (read, input) => {
      const total = (read as ReturnType<typeof readRequests>).reduce((sum, r) => sum + 23 + r.header.payloadBytes, 0);
      assert.ok(total <= input.length);
    },
    maxAllocation: (length) => 64 * length + 65536,
  });
});

test("replies", async () => {
  await surviveMutations({
    samples: [...replies, concatBytes(replies)],
    decode: (input) => readEvenly(input, readReplies),
    maxAllocation: (length) => 64 * length + 65536,
  });
});

test("headers and payloads alone", async () => {
  const samples = [...requests.map((bytes) => bytes.subarray(0, 23)), fromHex(single["1026"]).subarray(23)];
  await surviveMutations({ samples, decode: decodeRequestHeader, count: 30_000 });
  await surviveMutations({
    samples: [requests[0]!, requests.at(-1)!].map((bytes) => bytes.slice(23)),
    decode: decodePacketHead,
    count: 30_000,
  });
  await surviveMutations({ samples, decode: decodePublicKeyPayload, count: 30_000 });
  await surviveMutations({
    samples: replies.map((bytes) => bytes.slice(0, 7)),
    decode: decodeReplyHeader,
    count: 30_000,
  });
});
