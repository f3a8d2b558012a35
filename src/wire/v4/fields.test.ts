import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../../core/errors.ts";
import { FieldReader } from "./fields.ts";

function read<T>(value: unknown, take: (fields: FieldReader) => T): T {
  const fields = new FieldReader(value, (detail) => {
    throw new AppError("record_corrupt", { context: { what: "It", detail } });
  });
  const result = take(fields);
  fields.end();
  return result;
}

test("fields come out with their types", () => {
  const value = {
    n: 5,
    t: "ü",
    b: Uint8Array.of(0xab),
    none: null,
    list: [Uint8Array.of(1)],
    texts: ["x"],
    inner: { n: 1 },
  };
  read(value, (fields) => {
    assert.equal(fields.int("n"), 5);
    assert.equal(fields.text("t", 2), "ü");
    assert.equal(fields.id("b", 1), "ab");
    assert.equal(fields.optionalId("none", 1), undefined);
    assert.deepEqual(fields.bytesArray("list", { maxLength: 1 }), [Uint8Array.of(1)]);
    assert.deepEqual(fields.textArray("texts", 1), ["x"]);
    assert.equal(fields.map("inner").int("n"), 1);
  });
});

for (const [what, value, take] of [
  ["a field that is missing", {}, (fields: FieldReader) => fields.int("n")],
  ["one that is only inherited", {}, (fields: FieldReader) => fields.value("toString")],
  ["one that nobody asked for", { n: 1, m: 2 }, (fields: FieldReader) => fields.int("n")],
  ["a text for a number", { n: "1" }, (fields: FieldReader) => fields.int("n")],
  ["bytes of the wrong length", { n: new Uint8Array(2) }, (fields: FieldReader) => fields.bytes("n", 1)],
  ["too many bytes", { n: new Uint8Array(2) }, (fields: FieldReader) => fields.bytes("n", { maxLength: 1 })],
  ["a text over its limit in bytes", { n: "ü" }, (fields: FieldReader) => fields.text("n", 1)],
  ["nil where bytes must be", { n: null }, (fields: FieldReader) => fields.bytes("n", 1)],
  [
    "a list with something else in it",
    { n: [new Uint8Array(1), 1] },
    (fields: FieldReader) => fields.bytesArray("n", 1),
  ],
  ["a list for a map", [], () => undefined],
  ["bytes for a map", new Uint8Array(0), () => undefined],
  ["nil for a map", null, () => undefined],
] as const) {
  test(`${what} is refused`, () => assert.throws(() => read(value, take), { code: "record_corrupt" }));
}
