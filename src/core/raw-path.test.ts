import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import { compareBytes, utf8 } from "./bytes.ts";
import { type RawPath, rawFromBytes, rawFromText, rawJoin, rawSlice, rawToBytes, rawToText } from "./raw-path.ts";

test("any bytes come back, one character each", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const raw = rawFromBytes(bytes);
      assert.equal(raw.length, bytes.length);
      assert.deepEqual(rawToBytes(raw), Uint8Array.from(bytes));
    }),
  );
});

test("a name longer than one call can take comes back", () => {
  const bytes = Uint8Array.from({ length: 200_001 }, (_, i) => i);
  assert.deepEqual(rawToBytes(rawFromBytes(bytes)), bytes);
  assert.equal(rawSlice(bytes, 4095, 12_290), rawFromBytes(bytes.subarray(4095, 12_290)));
  assert.equal(rawSlice(bytes, 7, 7), "");
});

test("text comes back, and its raw form is its UTF-8", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assert.deepEqual(rawToBytes(rawFromText(text)), utf8(text));
      assert.equal(rawToText(rawFromText(text)), text);
    }),
  );
});

test("what is not UTF-8 is shown with marks, and a byte order mark is kept", () => {
  assert.equal(rawToText("caf\xe9" as RawPath), "caf\ufffd");
  assert.equal(rawToText(rawFromText("\ufeffa")), "\ufeffa");
});

test("raw names sort as their bytes do", () => {
  const bytes = fc.uint8Array({ maxLength: 6 });
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const [rawA, rawB] = [rawFromBytes(a), rawFromBytes(b)];
      assert.equal(rawA < rawB ? -1 : rawA > rawB ? 1 : 0, Math.sign(compareBytes(a, b)));
    }),
  );
  // As UTF-16 the two would be the other way round.
  assert.ok(rawFromText("\uffff") < rawFromText("\u{10000}"));
});

test("paths are joined with one slash", () => {
  const join = (parent: string, name: string) => rawJoin(parent as RawPath, name as RawPath);
  assert.deepEqual([join("/", "a"), join("/a", "b"), join("/a/", "b"), join("", "a")], ["/a", "/a/b", "/a/b", "a"]);
});
