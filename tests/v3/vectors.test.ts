// Protocol 3 against bytes that were worked out without this code: every message both ways, cut in every way, and the cryptography.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concatBytes, fromHex, toHex, utf8 } from "../../src/core/bytes.ts";
import { Cksum, cksum } from "../../src/core/checksum.ts";
import type { V3ClientId } from "../../src/core/ids.ts";
import {
  cipherLength,
  decryptFile,
  encryptFile,
  isLegacyPublicKey,
  publicKeyOf,
  unwrapFileKey,
  wrapFileKey,
} from "../../src/gateway/legacy-crypto.ts";
import { REPLY, REQUEST, type Reply } from "../../src/wire/v3/messages.ts";
import { encodeReply } from "../../src/wire/v3/replies.ts";
import { encodeNameRequest, encodePacketHead, encodePublicKeyRequest } from "../../src/wire/v3/requests.ts";
import vectors from "../vectors/protocol-v3.json" with { type: "json" };
import { readReplies, readRequests } from "./read-frames.ts";
import { slicings } from "./slices.ts";

const client = vectors.client_id as V3ClientId;
const publicKey = fromHex(vectors.rsa.spki_der_160);
const privateKey = fromHex(vectors.rsa.pkcs8_der);
const fileKey = fromHex(vectors.aes_key);
const wrappedKey = fromHex(vectors.oaep_sha256_ciphertext);

const helloCipher = fromHex("e0da0a13da4f951c51c27becd0a32a1f");
const counting = Uint8Array.from({ length: 48 }, (_, i) => i);
const countingHex = toHex(counting) as keyof typeof vectors.aes_cbc_zero_iv_pkcs7;

const REQUESTS: Readonly<Record<string, Uint8Array>> = {
  "1025": encodeNameRequest(REQUEST.register, undefined, "alice"),
  "1026": encodePublicKeyRequest(client, "alice", publicKey),
  "1027": encodeNameRequest(REQUEST.reconnect, client, "alice"),
  "1028_single": concatBytes([
    encodePacketHead(client, { cipherBytes: 16, plainBytes: 9, number: 1, total: 1, name: "hello.txt" }),
    helloCipher,
  ]),
  "1029": encodeNameRequest(REQUEST.checksumRight, client, "hello.txt"),
  "1030": encodeNameRequest(REQUEST.checksumWrong, client, "hello.txt"),
  "1031": encodeNameRequest(REQUEST.checksumFailed, client, "hello.txt"),
};

const REPLIES: Readonly<Record<string, Reply>> = {
  "1600": { code: REPLY.registered, client },
  "1601": { code: REPLY.nameTaken },
  "1602": { code: REPLY.keyReceived, client, wrappedKey },
  "1603_single": { code: REPLY.fileReceived, client, cipherBytes: 16, name: "hello.txt", cksum: 0x2642caaf },
  "1603_multi": { code: REPLY.fileReceived, client, cipherBytes: 64, name: "m.bin", cksum: cksum(counting) },
  "1604": { code: REPLY.acknowledged, client },
  "1605": { code: REPLY.reconnected, client, wrappedKey },
  "1606": { code: REPLY.reconnectRefused, client },
  "1607": { code: REPLY.error },
};

describe("requests", () => {
  const { "1028_multi_20_byte_packets": packets, ...single } = vectors.requests;
  assert.deepEqual(Object.keys(single).sort(), Object.keys(REQUESTS).sort());
  for (const [name, hex] of Object.entries(single)) {
    test(`${name} is written as it must be`, () => assert.equal(toHex(REQUESTS[name]!), hex));
  }

  test("a file's packets are cut at any byte", () => {
    const cipher = fromHex(vectors.aes_cbc_zero_iv_pkcs7[countingHex]);
    const total = packets.length;
    const written = packets.map((_, i) => {
      const content = cipher.subarray(i * 20, i * 20 + 20);
      const head = { cipherBytes: content.length, plainBytes: 48, number: i + 1, total, name: "m.bin" };
      return toHex(concatBytes([encodePacketHead(client, head), content]));
    });
    assert.deepEqual(written, packets);
  });

  test("all of them in one stream are read, however it is cut", () => {
    const stream = concatBytes([...Object.values(single), ...packets].map((hex) => fromHex(hex)));
    const expected = readRequests([stream]);
    assert.deepEqual(
      expected.map(({ header }) => header.code),
      [1025, 1026, 1027, 1029, 1030, 1031, 1028, 1028, 1028, 1028, 1028],
    );
    assert.ok(expected.every(({ header }) => header.client === (header.code === 1025 ? "00".repeat(16) : client)));
    assert.deepEqual(
      expected.filter(({ head }) => head).map(({ head, content }) => [head!.name, head!.number, content.length]),
      [
        ["hello.txt", 1, 16],
        ["m.bin", 1, 20],
        ["m.bin", 2, 20],
        ["m.bin", 3, 20],
        ["m.bin", 4, 4],
      ],
    );
    for (const slices of slicings(stream, 60)) assert.deepEqual(readRequests(slices), expected);
  });
});

describe("replies", () => {
  assert.deepEqual(Object.keys(vectors.responses).sort(), Object.keys(REPLIES).sort());
  for (const [name, hex] of Object.entries(vectors.responses)) {
    test(`${name} is written as it must be`, () => assert.equal(toHex(encodeReply(REPLIES[name]!)), hex));
  }

  test("all of them in one stream are read, however it is cut", () => {
    const stream = concatBytes(Object.values(vectors.responses).map((hex) => fromHex(hex)));
    for (const slices of slicings(stream, 60)) assert.deepEqual(readReplies(slices), Object.values(REPLIES));
  });
});

describe("cryptography", () => {
  test("the key pair is of the shape that old programs take", () => {
    assert.equal(publicKey.length, 160);
    assert.equal(privateKey.length, vectors.rsa.pkcs8_len);
    assert.deepEqual(publicKeyOf(privateKey), publicKey);
    assert.ok(isLegacyPublicKey(publicKey));
  });

  test("the file key opens with SHA-256 OAEP, and what we seal opens again", () => {
    assert.deepEqual(unwrapFileKey(privateKey, wrappedKey), fileKey);
    const sealed = wrapFileKey(publicKey, fileKey)!;
    assert.equal(sealed.length, 128);
    assert.deepEqual(unwrapFileKey(privateKey, sealed), fileKey);
    const broken = sealed.slice();
    broken[5]! ^= 1;
    assert.equal(unwrapFileKey(privateKey, broken), undefined);
  });

  for (const [plainHex, cipherHex] of Object.entries(vectors.aes_cbc_zero_iv_pkcs7)) {
    test(`AES-256-CBC of ${plainHex.length / 2} bytes, both ways, in any pieces`, () => {
      const [plain, cipher] = [fromHex(plainHex), fromHex(cipherHex)];
      assert.equal(cipher.length, cipherLength(plain.length));
      for (const slices of slicings(plain, 10)) assert.equal(toHex(run(encryptFile(fileKey), slices)), cipherHex);
      for (const slices of slicings(cipher, 10)) assert.equal(toHex(run(decryptFile(fileKey), slices)), plainHex);
    });
  }

  test("ciphertext that ends inside a block, or without padding, is refused", () => {
    for (const bytes of [new Uint8Array(0), helloCipher.subarray(0, 15), new Uint8Array(32)]) {
      const cipher = decryptFile(fileKey);
      cipher.update(bytes);
      assert.equal(cipher.end(), undefined);
    }
  });
});

describe("checksums", () => {
  for (const { input, hex, len, crc } of vectors.cksum) {
    if (typeof hex === "string") test(input, () => assert.equal(cksum(fromHex(hex)), crc));
    else if (len <= 2 ** 24 && input.includes("zeros")) {
      test(input, () => assert.equal(new Cksum().update(new Uint8Array(len)).digest(), crc));
    }
  }

  test("bytes that are not zero", () => {
    const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => (7 * i) % 251);
    assert.equal(cksum(bytes), 0xe72cb1a3);
    assert.equal(cksum(new Uint8Array(67_584).fill("Y".charCodeAt(0))), 0x68a10d57);
  });
});

function run(cipher: ReturnType<typeof encryptFile>, slices: readonly Uint8Array[]): Uint8Array {
  const parts = slices.map((slice) => cipher.update(slice));
  return concatBytes([...parts, cipher.end() ?? utf8("refused")]);
}
