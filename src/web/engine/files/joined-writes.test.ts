import assert from "node:assert/strict";
import { test } from "node:test";
import { JoinedWrites } from "./joined-writes.ts";

const MIB = 2 ** 20;

/** Keeps what is written, later than it was asked to: a buffer that is used again too early shows. */
function slowFile(sizeBytes: number, failsAt = -1) {
  const bytes = new Uint8Array(sizeBytes);
  const lengths: number[] = [];
  const writable = {
    async write({ position, data }: { position: number; data: Uint8Array }) {
      lengths.push(data.length);
      for (let i = 0; i < 20; i++) await undefined;
      if (position <= failsAt && failsAt < position + data.length) throw new Error("no room");
      bytes.set(data, position);
    },
  };
  return { bytes, lengths, writes: new JoinedWrites(writable as unknown as FileSystemWritableFileStream, sizeBytes) };
}

/** Pieces of odd lengths, each two changing places, as blocks of two workers lie. */
function piecesOf(whole: Uint8Array): [number, Uint8Array][] {
  const pieces: [number, Uint8Array][] = [];
  for (let at = 0; at < whole.length; at += 700_001) pieces.push([at, whole.slice(at, at + 700_001)]);
  for (let i = 0; i + 1 < pieces.length; i += 2) [pieces[i], pieces[i + 1]] = [pieces[i + 1]!, pieces[i]!];
  return pieces;
}

for (const sizeBytes of [0, 5, 3 * MIB, 8 * MIB, 35 * MIB + 7]) {
  test(`pieces of ${sizeBytes} bytes in nearly their order become the file, in few writes`, async () => {
    const whole = new Uint8Array(sizeBytes);
    for (let i = 0; i < sizeBytes; i++) whole[i] = i * 31 + (i >> 9);
    const { bytes, lengths, writes } = slowFile(sizeBytes);
    for (const [position, data] of piecesOf(whole)) {
      await writes.add(position, data);
      data.fill(0);
    }
    await writes.end();
    assert.equal(Buffer.compare(bytes, whole), 0);
    assert.equal(lengths.length, Math.ceil(sizeBytes / (8 * MIB)));
  });
}

test("pieces far apart, in any order, and past the size that was told, are written all the same", async () => {
  const { bytes, writes } = slowFile(64 * MIB);
  const small = new JoinedWrites(
    { write: async ({ position, data }: { position: number; data: Uint8Array }) => bytes.set(data, position) } as never,
    10,
  );
  const places = [50 * MIB, 3, 20 * MIB, 8 * MIB - 2, 63 * MIB, 40 * MIB];
  await Promise.all(places.map((at) => writes.add(at, Uint8Array.of(1, 2, 3, 4))));
  await writes.end();
  await small.add(6, Uint8Array.of(9, 9, 9, 9, 9, 9));
  await small.end();
  for (const at of places) assert.deepEqual(bytes.slice(at, at + 4), Uint8Array.of(1, 2, 3, at === 3 ? 9 : 4));
});

test("a write that fails fails the file", async () => {
  const { writes } = slowFile(32 * MIB, 9 * MIB);
  await assert.rejects(async () => {
    for (const [position, data] of piecesOf(new Uint8Array(32 * MIB))) await writes.add(position, data);
    await writes.end();
  }, /no room/);
});
