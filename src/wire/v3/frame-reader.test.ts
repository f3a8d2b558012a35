// What must hold for the frame readers of protocol 3.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../tests/fast-check.ts";
import { concatBytes, utf8 } from "../../core/bytes.ts";
import type { V3ClientId } from "../../core/ids.ts";
import { ReplyReader, type RequestPart, RequestReader } from "./frame-reader.ts";
import { decodeName, encodeName, NO_CLIENT, REPLY, REQUEST, type Reply } from "./messages.ts";
import { encodeReply } from "./replies.ts";
import { encodeNameRequest, encodePacketHead, encodeRequestHeader } from "./requests.ts";

const MAX_PAYLOAD_BYTES = 4096;
const client = "0f".repeat(16) as V3ClientId;

function parts(reader: RequestReader, ...slices: Uint8Array[]): RequestPart[] {
  return slices.flatMap((slice) => [...reader.push(slice)]);
}

const newReader = () => new RequestReader({ maxPayloadBytes: MAX_PAYLOAD_BYTES });
const kinds = (found: readonly RequestPart[]) => found.map(({ kind }) => kind);
const refused = { code: "v3_protocol" };

const ids = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => bytes.toHex() as V3ClientId);
const names = fc
  .string({ unit: "binary", maxLength: 60 })
  .filter((name) => !name.includes("\0") && name.isWellFormed() && utf8(name).length < 255);
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u16 = fc.integer({ min: 0, max: 2 ** 16 - 1 });
const wrapped = fc.uint8Array({ minLength: 128, maxLength: 128 }).map((bytes) => Uint8Array.from(bytes));
const replies: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({ code: fc.constant(REPLY.registered), client: ids }),
  fc.record({ code: fc.constant(REPLY.nameTaken) }),
  fc.record({ code: fc.constantFrom(REPLY.keyReceived, REPLY.reconnected), client: ids, wrappedKey: wrapped }),
  fc.record({ code: fc.constant(REPLY.fileReceived), client: ids, cipherBytes: u32, name: names, cksum: u32 }),
  fc.record({ code: fc.constantFrom(REPLY.acknowledged, REPLY.reconnectRefused), client: ids }),
  fc.record({ code: fc.constant(REPLY.error) }),
);

/** The bytes in slices whose lengths repeat `lengths`. */
function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const slices: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; at += lengths[i++ % lengths.length]!) {
    slices.push(bytes.subarray(at, at + lengths[i % lengths.length]!));
  }
  return slices;
}

const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 });

describe("round trips", () => {
  test("replies", () => {
    fc.assert(
      fc.property(fc.array(replies, { maxLength: 5 }), cuts, (list, lengths) => {
        const reader = new ReplyReader();
        const slices = cut(concatBytes(list.map(encodeReply)), lengths);
        assert.deepEqual(
          slices.flatMap((slice) => [...reader.push(slice)]),
          list.map((reply) => ({ ...reply })),
        );
      }),
    );
  });

  test("file packets", () => {
    const packet = fc.record({
      head: fc.record({ plainBytes: u32, number: u16, total: u16, name: names }),
      content: fc.uint8Array({ maxLength: 1000 }),
    });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 4 }), cuts, (packets, lengths) => {
        const bytes = packets.flatMap(({ head, content }) => [
          encodePacketHead(client, { ...head, cipherBytes: content.length }),
          content,
        ]);
        const found = parts(newReader(), ...cut(concatBytes(bytes), lengths));
        const heads = found.flatMap((part) => (part.kind === "packet" ? [part.head] : []));
        assert.deepEqual(
          heads,
          packets.map(({ head, content }) => ({ ...head, cipherBytes: content.length })),
        );
        const contents = concatBytes(found.flatMap((part) => (part.kind === "content" ? [part.bytes] : [])));
        assert.deepEqual(contents, concatBytes(packets.map(({ content }) => content)));
      }),
    );
  });
});

describe("names", () => {
  test("end at the first NUL; what follows does not count", () => {
    const field = encodeName("alice");
    field.set(utf8("leftovers"), 6);
    assert.equal(decodeName(field), "alice");
    assert.equal(decodeName(new Uint8Array(255)), "");
  });

  test("without a NUL, or no UTF-8: there is none", () => {
    assert.equal(decodeName(new Uint8Array(255).fill(0x61)), undefined);
    assert.equal(decodeName(Uint8Array.of(0xff, 0)), undefined);
  });

  test("that do not fit with their NUL are refused", () => {
    assert.equal(decodeName(encodeName("é".repeat(127))), "é".repeat(127));
    assert.throws(() => encodeName("x".repeat(255)), { code: "usage" });
    assert.throws(() => encodeName("a\0b"), { code: "usage" });
  });
});

describe("requests that cannot be read", () => {
  const cases: [string, Uint8Array][] = [
    ["another version", encodeNameRequest(REQUEST.register, undefined, "a").with(16, 4)],
    ["a name request that is short", encodeRequestHeader(client, REQUEST.reconnect, 254)],
    ["a name request that is long", encodeRequestHeader(client, REQUEST.register, 256)],
    ["a key of another size", encodeRequestHeader(client, REQUEST.publicKey, 416)],
    ["a payload over the limit", encodeRequestHeader(client, REQUEST.packet, MAX_PAYLOAD_BYTES + 1)],
    ["the largest payload there is", encodeRequestHeader(client, 9999, 2 ** 32 - 1)],
  ];
  for (const [what, bytes] of cases) {
    test(`${what}: nothing after the header is looked at, now or later`, () => {
      const reader = newReader();
      assert.throws(() => parts(reader, bytes), refused);
      assert.throws(() => parts(reader, encodeNameRequest(REQUEST.register, undefined, "a")), refused);
      assert.equal(reader.isBetweenFrames, false);
    });
  }
});

describe("requests that are passed over", () => {
  test("an unknown code, to the end of its payload", () => {
    const reader = newReader();
    const bytes = concatBytes([encodeRequestHeader(client, 4711, 1000), new Uint8Array(1000)]);
    assert.deepEqual(kinds(parts(reader, bytes.subarray(0, 500), bytes.subarray(500))), ["request", "end"]);
    assert.ok(reader.isBetweenFrames);
  });

  test("a packet too short for its head", () => {
    const bytes = concatBytes([encodeRequestHeader(client, REQUEST.packet, 266), new Uint8Array(266)]);
    assert.deepEqual(kinds(parts(newReader(), bytes)), ["request", "end"]);
  });

  test("nothing at all", () => {
    const bytes = encodeRequestHeader(NO_CLIENT, 1, 0);
    assert.deepEqual(kinds(parts(newReader(), bytes, bytes)), ["request", "end", "request", "end"]);
  });
});

test("ciphertext is handed on where it lies", () => {
  const content = new Uint8Array(64);
  const head = encodePacketHead(client, { cipherBytes: 64, plainBytes: 50, number: 1, total: 1, name: "a" });
  const found = parts(newReader(), head, content.subarray(0, 40), content.subarray(40));
  assert.deepEqual(kinds(found), ["request", "packet", "content", "content", "end"]);
  for (const part of found) if (part.kind === "content") assert.equal(part.bytes.buffer, content.buffer);
});

test("replies of another version, code or size are refused", () => {
  const sound = encodeReply({ code: REPLY.acknowledged, client });
  for (const [at, value] of [
    [0, 2],
    [1, 0xff],
    [3, 17],
  ] as const) {
    const reader = new ReplyReader();
    assert.throws(() => [...reader.push(sound.with(at, value))], refused);
    assert.throws(() => [...reader.push(sound)], refused);
  }
});
