import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotRecord } from "../../../tests/samples.ts";
import { toHex } from "../../core/bytes.ts";
import { decodeSnapshotRecord, encodeSnapshotRecord, snapshotStatement } from "./snapshot-record.ts";

const { sig: _, ...body } = snapshotRecord;

test("a record comes back as it was, with or without a base", async () => {
  for (const record of [snapshotRecord, { ...snapshotRecord, base: undefined, tags: [] }]) {
    const { bytes, id } = await encodeSnapshotRecord(record);
    assert.deepEqual(await decodeSnapshotRecord(bytes), { ...record, id });
  }
});

test("tags out of order or twice are refused", async () => {
  const [first, second] = snapshotRecord.tags;
  for (const tags of [
    [second!, first!],
    [first!, first!],
  ]) {
    const { bytes } = await encodeSnapshotRecord({ ...snapshotRecord, tags });
    await assert.rejects(decodeSnapshotRecord(bytes), { code: "record_corrupt" });
  }
});

test("fields of a wrong length or type are refused", async () => {
  for (const change of [
    { sig: new Uint8Array(63) },
    { key: new Uint8Array(8193) },
    { head: "00" },
    { vault: "ff".repeat(15) },
    { tags: ["00"] },
    { refs: "text" },
    { time: "now" },
    { sig: null },
  ]) {
    const { bytes } = await encodeSnapshotRecord({ ...snapshotRecord, ...change } as typeof snapshotRecord);
    await assert.rejects(decodeSnapshotRecord(bytes), { code: "record_corrupt" }, JSON.stringify(change));
  }
});

test("the statement covers every field but the signature", async () => {
  const statement = toHex(await snapshotStatement(body));
  assert.equal(toHex(await snapshotStatement({ ...snapshotRecord, sig: new Uint8Array(64) } as never)), statement);
  for (const [key, value] of Object.entries(body)) {
    const changed =
      typeof value === "number" ? value + 1 : typeof value === "string" ? flipLast(value) : new Uint8Array(5);
    const other = { ...body, [key]: key === "tags" ? [] : changed };
    assert.notEqual(toHex(await snapshotStatement(other)), statement, key);
  }
});

function flipLast(hex: string): string {
  return hex.slice(0, -1) + (hex.endsWith("0") ? "1" : "0");
}
