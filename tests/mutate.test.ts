// The mutation helper must notice each way in which a decoder can be wrong.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../src/core/errors.ts";
import { surviveMutations } from "./mutate.ts";

const samples = [Uint8Array.from({ length: 40 }, (_, i) => i)];

/** Accepts inputs of 40 bytes. */
function strict(input: Uint8Array): Uint8Array {
  if (input.length !== 40) throw new AppError("record_corrupt", { context: { what: "It", detail: "length" } });
  return input;
}

test("a decoder that answers or refuses survives", async () => {
  const outcome = await surviveMutations({ samples, decode: strict, count: 1000 });
  assert.ok(outcome.accepted > 10 && outcome.refused > 10);
  assert.equal(outcome.accepted + outcome.refused, "process" in globalThis ? 1000 : 100);
});

for (const [what, decode, message] of [
  ["throws something else", (input: Uint8Array) => new DataView(input.buffer).getUint8(39), /RangeError/],
  ["blames itself", () => Promise.reject(new AppError("internal", { context: { detail: "oops" } })), /oops/],
  [
    "allocates what a field claims",
    (input: Uint8Array) => strict(new Uint8Array(input[0]! * 4096)),
    /allocated \d+ bytes/,
  ],
  ["refuses nothing", (input: Uint8Array) => input, /no mutation was refused/],
] as const) {
  test(`a decoder that ${what} is caught`, async () => {
    await assert.rejects(surviveMutations({ samples, decode, count: 2000 }), message);
  });
}

test("a wrong answer is caught, and the globals are put back", async () => {
  const before = globalThis.Uint8Array;
  const check = (_: unknown, input: Uint8Array) => assert.equal(input[3], 3);
  await assert.rejects(surviveMutations({ samples, decode: strict, check }), /step \d+: .*\n[\s\S]*input [0-9a-f]+/);
  assert.equal(globalThis.Uint8Array, before);
});
