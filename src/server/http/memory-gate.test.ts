import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryGate } from "./memory-gate.ts";

test("bytes are let through up to the capacity, the others in the order they came", async () => {
  const gate = new MemoryGate(10);
  const first = await gate.take(6);
  const passed: string[] = [];
  const big = gate.take(8).then((release) => {
    passed.push("big");
    return release;
  });
  const small = gate.take(1).then((release) => {
    passed.push("small");
    return release;
  });
  await Promise.resolve();
  assert.deepEqual(passed, []);
  first();
  first();
  const releases = await Promise.all([big, small]);
  assert.deepEqual(passed, ["big", "small"]);
  for (const release of releases) release();
  (await gate.take(10))();
});

test("more than there will ever be is let through alone", async () => {
  const gate = new MemoryGate(10);
  const all = await gate.take(1000);
  let passed = false;
  const next = gate.take(1).then(() => {
    passed = true;
  });
  await Promise.resolve();
  assert.equal(passed, false);
  all();
  await next;
});

test("who gives up leaves the line, and holds up nobody behind", async () => {
  const gate = new MemoryGate(10);
  const first = await gate.take(5);
  const controller = new AbortController();
  const gone = assert.rejects(gate.take(10, controller.signal), /gone/);
  const behind = gate.take(5);
  controller.abort(new Error("gone"));
  await gone;
  (await behind)();
  first();
});
