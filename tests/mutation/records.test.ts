// Decoders of records under damage and malice. What a mutation leaves readable must be read back as it is written.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, ByteWriter, utf8 } from "../../src/core/bytes.ts";
import { sha256 } from "../../src/core/sha256.ts";
import { padmeLength } from "../../src/crypto/sealing.ts";
import { decodeSnapshotInfo } from "../../src/engine/snapshot-info.ts";
import { decodeMap, encodeMap, type RecordMagic } from "../../src/wire/v4/envelope.ts";
import { decodeLogEntry, encodeLogEntry } from "../../src/wire/v4/log-entry.ts";
import { decodeRefs, encodeRefs } from "../../src/wire/v4/refs.ts";
import { decodeSnapshotRecord, encodeSnapshotRecord } from "../../src/wire/v4/snapshot-record.ts";
import { decodeVaultRecord, encodeVaultRecord } from "../../src/wire/v4/vault-record.ts";
import { surviveMutations } from "../mutate.ts";
import { makeDigestsPrompt } from "../prompt-digest.ts";
import * as samples from "../samples.ts";

makeDigestsPrompt();

/** A record with a true checksum around any body. */
async function wrap(magic: RecordMagic, body: Uint8Array): Promise<Bytes> {
  const writer = new ByteWriter(64 + body.length);
  writer.bytes(utf8(magic));
  writer.u16(1);
  writer.u16(0);
  writer.u32(body.length);
  writer.bytes(body);
  writer.bytes(await sha256(writer.view()));
  return writer.take();
}

const bodyOf = (record: Uint8Array) => record.subarray(12, record.length - 32);

type Codec<T> = {
  readonly magic: RecordMagic;
  readonly decode: (bytes: Uint8Array) => Promise<T>;
  readonly encode: (value: T) => Promise<{ bytes: Bytes }>;
};

/** Most mutations under a true checksum, for those without one hardly get past it; hashing makes them dear. */
async function surviveRecord<T>(records: readonly Bytes[], { magic, decode, encode }: Codec<T>): Promise<void> {
  await surviveMutations({ samples: records, decode, count: 80_000 });
  await surviveMutations({
    samples: records.map(bodyOf),
    decode: async (body) => decode(await wrap(magic, body)),
    check: async (value, body) => assert.deepEqual(bodyOf((await encode(value as T)).bytes), body),
    count: 20_000,
    maxAllocation: (length) => 32 * length + 65536,
  });
}

test("MessagePack bodies have one coding", async () => {
  const map = {
    a: null,
    b: [1, "x", true, 2 ** 40, [samples.counting(0, 300)]],
    c: { d: "ü".repeat(200), e: 70_000, f: 200 },
  };
  await surviveMutations({
    samples: [encodeMap(map), bodyOf((await encodeSnapshotRecord(samples.snapshotRecord)).bytes)],
    decode: (bytes) => decodeMap(bytes, "It"),
    check: (value, bytes) => assert.deepEqual(encodeMap({ value }).subarray(7), bytes),
  });
});

test("vault records", async () => {
  const { bytes } = await encodeVaultRecord({ vault: samples.VAULT, createdAt: samples.TIME, chunker: 1 });
  await surviveRecord([bytes], { magic: "CB4V", decode: decodeVaultRecord, encode: encodeVaultRecord });
});

test("snapshot records", async () => {
  const first = await encodeSnapshotRecord(samples.snapshotRecord);
  const second = await encodeSnapshotRecord({ ...samples.snapshotRecord, base: undefined, tags: [], added: 0 });
  const codec = { magic: "CB4S", decode: decodeSnapshotRecord, encode: encodeSnapshotRecord } as const;
  await surviveRecord([first.bytes, second.bytes], codec);
});

test("log entries", async () => {
  const chain = await samples.logChain(samples.logEvents);
  const codec = { magic: "CB4L", decode: decodeLogEntry, encode: encodeLogEntry } as const;
  await surviveRecord(
    chain.map(({ bytes }) => bytes),
    codec,
  );
});

test("block references", async () => {
  await surviveMutations({
    samples: [encodeRefs([1, 2, 3, 500, 100_000, 2 ** 50]), encodeRefs([]), samples.snapshotRecord.refs],
    decode: decodeRefs,
    check: (refs, bytes) => assert.deepEqual(encodeRefs(refs as number[]), bytes),
  });
});

test("snapshot info", async () => {
  const body = { ...samples.snapshotInfo, paths: [utf8("/home")], errors: { count: 0, first: [] } };
  const map = encodeMap(body);
  const plaintext = new Uint8Array(padmeLength(4 + map.length));
  new DataView(plaintext.buffer).setUint32(0, map.length, true);
  plaintext.set(map, 4);
  assert.equal(decodeSnapshotInfo(plaintext).host, body.host);
  await surviveMutations({ samples: [plaintext], decode: decodeSnapshotInfo });
});
