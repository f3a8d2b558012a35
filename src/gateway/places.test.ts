// What must hold for places that are taken and given back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Places } from "./places.ts";

const never = new AbortController().signal;

test("are given in the order of asking, each once", async () => {
  const places = new Places(1);
  const giveBack = await places.take(never);
  const order: number[] = [];
  const waiting = [1, 2, 3].map(async (n) => {
    const next = await places.take(never);
    order.push(n);
    next();
    next();
  });
  assert.equal(places.waiting, 3);
  assert.equal(places.takeNow(), undefined);
  giveBack();
  giveBack();
  await Promise.all(waiting);
  assert.deepEqual(order, [1, 2, 3]);
  assert.ok(places.takeNow());
  assert.equal(places.takeNow(), undefined);
});

test("who leaves the line loses nothing for the others", async () => {
  const places = new Places(1);
  const giveBack = places.takeNow()!;
  const leaving = new AbortController();
  const gone = places.take(leaving.signal);
  const staying = places.take(never);
  leaving.abort();
  await assert.rejects(gone, { code: "interrupted" });
  giveBack();
  (await staying)();
  assert.ok(places.takeNow());
  await assert.rejects(places.take(leaving.signal), { code: "interrupted" });
});
