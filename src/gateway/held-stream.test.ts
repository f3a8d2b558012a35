// What must hold for a stream whose end is a decision.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldStream } from "./held-stream.ts";

const bytes = (length: number) => new Uint8Array(length);

test("the reader waits for the decision, and gets all that was pushed", async () => {
  const stream = new HeldStream(100);
  await stream.push(bytes(10));
  await stream.push(bytes(20));
  const reader = stream[Symbol.asyncIterator]();
  assert.equal((await reader.next()).value?.length, 10);
  assert.equal((await reader.next()).value?.length, 20);
  const last = reader.next();
  const early = await Promise.race([last, Promise.resolve("still waiting")]);
  assert.equal(early, "still waiting");
  stream.end();
  assert.deepEqual(await last, { done: true, value: undefined });
});

test("a writer that is ahead waits for the reader", async () => {
  const stream = new HeldStream(15);
  await stream.push(bytes(10));
  let isTaken = false;
  const second = stream.push(bytes(10)).then(() => {
    isTaken = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isTaken, false);
  await stream[Symbol.asyncIterator]().next();
  await second;
});

test("a failure reaches a reader and a writer that wait, and everybody after", async () => {
  for (const wait of ["reader", "writer"] as const) {
    const stream = new HeldStream(5);
    const error = new Error("given up");
    const waiting = wait === "reader" ? stream[Symbol.asyncIterator]().next() : stream.push(bytes(10));
    const seen = assert.rejects(waiting as Promise<unknown>, error);
    await new Promise((resolve) => setImmediate(resolve));
    stream.fail(error);
    stream.end();
    await seen;
    await assert.rejects(stream.push(bytes(1)), error);
    await assert.rejects(stream[Symbol.asyncIterator]().next(), error);
  }
});

test("after the end a failure changes nothing", async () => {
  const stream = new HeldStream(5);
  await stream.push(bytes(1));
  stream.end();
  stream.fail(new Error("too late"));
  const reader = stream[Symbol.asyncIterator]();
  assert.equal((await reader.next()).value?.length, 1);
  assert.equal((await reader.next()).done, true);
});
