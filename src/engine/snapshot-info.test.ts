import assert from "node:assert/strict";
import { test } from "node:test";
import { SESSION, snapshotInfo, VAULT } from "../../tests/samples.ts";
import type { SessionId, VaultId } from "../core/ids.ts";
import { rawFromBytes } from "../core/raw-path.ts";
import { webPrimitives as primitives } from "../crypto/primitives.ts";
import { padmeLength } from "../crypto/sealing.ts";
import { decodeSnapshotInfo, openSnapshotInfo, sealSnapshotInfo } from "./snapshot-info.ts";

const key = new Uint8Array(32).fill(9);
const corrupt = { code: "record_corrupt" };

test("it comes back as it was, names that are not UTF-8 included", async () => {
  const info = { ...snapshotInfo, paths: [rawFromBytes(Uint8Array.of(0x2f, 0xff, 0x80))] };
  const sealed = await sealSnapshotInfo(primitives, key, VAULT, SESSION, info);
  assert.deepEqual(await openSnapshotInfo(primitives, key, VAULT, SESSION, sealed), info);
  assert.equal(padmeLength(sealed.length - 16), sealed.length - 16);
});

test("it opens with its own key, vault and session only", async () => {
  const sealed = await sealSnapshotInfo(primitives, key, VAULT, SESSION, snapshotInfo);
  const otherKey = new Uint8Array(32);
  const other = "00".repeat(16);
  await assert.rejects(openSnapshotInfo(primitives, otherKey, VAULT, SESSION, sealed), corrupt);
  await assert.rejects(openSnapshotInfo(primitives, key, other as VaultId, SESSION, sealed), corrupt);
  await assert.rejects(openSnapshotInfo(primitives, key, VAULT, other as SessionId, sealed), corrupt);
  await assert.rejects(openSnapshotInfo(primitives, key, VAULT, SESSION, sealed.subarray(0, -1)), corrupt);
});

test("padding that is too short, too long or not zero is refused", async () => {
  const sealed = await sealSnapshotInfo(primitives, key, VAULT, SESSION, { ...snapshotInfo, host: "h".repeat(200) });
  // GCM is a stream cipher: sealing zeros in the same place gives the key stream, and so the plaintext.
  const plaintext = await plaintextOf(sealed);
  assert.equal(decodeSnapshotInfo(plaintext).host, "h".repeat(200));
  assert.throws(() => decodeSnapshotInfo(new Uint8Array([...plaintext, 0])), corrupt);
  assert.throws(() => decodeSnapshotInfo(plaintext.subarray(0, -1)), corrupt);
  assert.throws(() => decodeSnapshotInfo(plaintext.with(-1, 1)), corrupt);
  assert.throws(() => decodeSnapshotInfo(new Uint8Array(3)), corrupt);
});

async function plaintextOf(sealed: Uint8Array): Promise<Uint8Array> {
  const { sealNonce, sealAad } = await import("../crypto/sealing.ts");
  const { fromHex } = await import("../core/bytes.ts");
  const opened = await primitives.gcmOpen(
    key,
    sealNonce(3, 0),
    sealAad(fromHex(VAULT), fromHex(SESSION), 3, 0),
    sealed,
  );
  return opened!;
}
