// The browser's assert must judge as Node's does.

import nodeAssert from "node:assert/strict";
import { describe, test } from "node:test";
import shim from "./assert-shim.ts";

class Point {
  x = 1;
}
class OtherPoint {
  x = 1;
}
const ring: Record<string, unknown> = { a: 1 };
ring.self = ring;
const otherRing: Record<string, unknown> = { a: 1 };
otherRing.self = otherRing;

/** Each is compared with each other. */
const VALUES: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  0,
  -0,
  1,
  Number.NaN,
  1n,
  0n,
  "",
  "a",
  "1",
  Symbol.iterator,
  [],
  [1],
  [1, 2],
  [undefined],
  new Array(1),
  ["1"],
  { 0: 1, length: 1 },
  {},
  { a: 1 },
  { a: 1, b: undefined },
  { b: undefined, a: 1 },
  { a: 1n },
  { a: { b: [1] } },
  { a: { b: [2] } },
  Object.create(null),
  new Point(),
  new OtherPoint(),
  ring,
  otherRing,
  { [Symbol.iterator]: 1 },
  new Uint8Array(0),
  new Uint8Array([1, 2]),
  new Uint8Array([1, 3]),
  new Uint16Array([1, 2]),
  new Uint8Array([0, 1, 2]).subarray(1),
  new Uint8Array([1, 2]).buffer,
  new Set(),
  new Set([1]),
  new Set([{ a: 1 }]),
  new Set([{ a: 2 }]),
  new Set([1, 2]),
  new Map(),
  new Map([[1, 2]]),
  new Map([[1, 3]]),
  new Map([[{ a: 1 }, 2]]),
  new Map<unknown, unknown>([[1, undefined]]),
  new Date(0),
  new Date(1),
  /a/,
  /a/g,
  new Error("a"),
  new Error("b"),
  new TypeError("a"),
  new Error("a", { cause: 1 }),
  new Number(1),
  new Number(2),
  new String("a"),
  () => 1,
];

function verdict(check: () => unknown): string {
  try {
    check();
    return "passes";
  } catch (error) {
    return `fails with ${(error as Error).name}`;
  }
}

async function asyncVerdict(check: () => Promise<unknown>): Promise<string> {
  try {
    await check();
    return "passes";
  } catch (error) {
    return `fails with ${(error as Error).name}`;
  }
}

describe("it judges as node:assert/strict", () => {
  type Compare = (actual: unknown, expected: unknown) => void;
  for (const name of ["equal", "notEqual", "deepEqual", "notDeepEqual", "strictEqual", "deepStrictEqual"] as const) {
    test(`${name}, over all pairs of values`, () => {
      for (const [i, a] of VALUES.entries()) {
        for (const [j, b] of VALUES.map((value) => clone(value)).entries()) {
          const [ours, nodes] = [shim, nodeAssert].map((assert) => verdict(() => (assert[name] as Compare)(a, b)));
          nodeAssert.equal(ours, nodes, `${name} of values ${i} and ${j}`);
        }
      }
    });
  }

  test("ok, match, doesNotMatch and fail", () => {
    for (const value of VALUES) {
      nodeAssert.equal(
        verdict(() => shim(value)),
        verdict(() => nodeAssert(value)),
      );
    }
    for (const text of ["", "abc", "xyz"]) {
      for (const name of ["match", "doesNotMatch"] as const) {
        nodeAssert.equal(
          verdict(() => shim[name](text, /b/)),
          verdict(() => nodeAssert[name](text, /b/)),
        );
      }
    }
    nodeAssert.throws(() => shim.fail("why"), /AssertionError: why/);
    nodeAssert.throws(() => shim.equal(1, 2, "why"), /why/);
    nodeAssert.throws(() => shim.equal(1, 2, new RangeError("own")), RangeError);
  });

  const BODIES: readonly (() => unknown)[] = [
    () => 1,
    () => {
      throw new Error("broken");
    },
    () => {
      throw new TypeError("wrong type");
    },
    () => {
      throw Object.assign(new Error("coded"), { code: 7 });
    },
  ];
  const EXPECTED: readonly (undefined | RegExp | (new () => Error) | ((error: unknown) => boolean) | object | Error)[] =
    [
      undefined,
      /broken/,
      /TypeError/,
      Error,
      TypeError,
      () => true,
      () => false,
      { code: 7 },
      { message: /cod/ },
      { code: 8 },
      new Error("broken"),
      new TypeError("broken"),
    ];

  test("throws and rejects, over all pairs of bodies and expectations", async () => {
    for (const [i, body] of BODIES.entries()) {
      for (const [j, expected] of EXPECTED.entries()) {
        const where = `body ${i}, expectation ${j}`;
        nodeAssert.equal(
          verdict(() => shim.throws(body, expected)),
          verdict(() => nodeAssert.throws(body, expected as Error)),
          where,
        );
        const asyncBody = async () => body();
        nodeAssert.equal(
          await asyncVerdict(() => shim.rejects(asyncBody, expected)),
          await asyncVerdict(() => nodeAssert.rejects(asyncBody, expected as Error)),
          where,
        );
      }
      const asyncBody = async () => body();
      nodeAssert.equal(
        verdict(() => shim.doesNotThrow(body)),
        verdict(() => nodeAssert.doesNotThrow(body)),
      );
      nodeAssert.equal(
        await asyncVerdict(() => shim.doesNotReject(asyncBody())),
        await asyncVerdict(() => nodeAssert.doesNotReject(asyncBody())),
      );
    }
  });
});

/** A copy where that can be made, so that not only identical objects are compared. */
function clone(value: unknown): unknown {
  if (value instanceof Point) return new Point();
  if (value instanceof OtherPoint) return new OtherPoint();
  try {
    return typeof value === "object" && Reflect.getPrototypeOf(value ?? {}) !== null ? structuredClone(value) : value;
  } catch {
    return value;
  }
}
