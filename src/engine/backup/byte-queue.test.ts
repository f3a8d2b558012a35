import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteQueue } from "./byte-queue.ts";

const slice = (first: number, length = 3) => new Uint8Array(length).fill(first);

async function collect(queue: ByteQueue): Promise<number[]> {
  const firsts: number[] = [];
  for await (const bytes of queue) firsts.push(bytes[0]!);
  return firsts;
}

test("slices come in order, pushed before, while and after somebody waits", async () => {
  const queue = new ByteQueue();
  queue.push(slice(1));
  const all = collect(queue);
  queue.push(slice(2));
  await new Promise((resolve) => setTimeout(resolve));
  queue.push(slice(3));
  queue.push(slice(4));
  await Promise.resolve();
  queue.end();
  assert.deepEqual(await all, [1, 2, 3, 4]);
});

test("an empty queue ends", async () => {
  const [before, after] = [new ByteQueue(), new ByteQueue()];
  before.end();
  assert.deepEqual(await collect(before), []);
  const all = collect(after);
  await Promise.resolve();
  after.end();
  assert.deepEqual(await all, []);
});

test("a slice counts as queued until the next one is asked for; then its memory is given back", async () => {
  let taken = 0;
  const queue = new ByteQueue(() => taken++);
  const large = slice(1, 2 ** 20);
  queue.push(large);
  queue.push(slice(2));
  assert.equal(queue.queuedBytes, 2 ** 20 + 3);
  const reader = queue[Symbol.asyncIterator]();
  const first = await reader.next();
  assert.equal(first.value.length, 2 ** 20);
  assert.deepEqual([queue.queuedBytes, taken], [2 ** 20 + 3, 0]);
  await reader.next();
  assert.deepEqual([queue.queuedBytes, taken, large.length], [3, 1, 0]);
  queue.end();
  assert.ok((await reader.next()).done);
  assert.deepEqual([queue.queuedBytes, taken], [0, 2]);
});
