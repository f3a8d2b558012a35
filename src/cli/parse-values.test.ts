// Values of options: what is taken, and that everything else is a usage error.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isAppError } from "../core/errors.ts";
import { parseCount, parseDate, parseDuration, parseShare, parseSize } from "./parse-values.ts";
import { passphraseAdvice } from "./passphrase-advice.ts";

const DAY_MS = 86_400_000;

function refuses(parse: (text: string) => unknown, texts: readonly string[]): void {
  for (const text of texts)
    assert.throws(
      () => parse(text),
      (error) => isAppError(error, "usage"),
      text,
    );
}

test("sizes", () => {
  assert.deepEqual(["0", "500", "10k", "1.5M", "2GiB", "3 TB", "7b"].map(parseSize), [
    0,
    500,
    10_240,
    1_572_864,
    2 ** 31,
    3 * 2 ** 40,
    7,
  ]);
  refuses(parseSize, ["", "k", "1x", "-1", "1e3", "1.k.", "0x10", "1 0"]);
});

test("durations", () => {
  assert.deepEqual(["12h", "30d", "2w", "1y6m"].map(parseDuration), [
    DAY_MS / 2,
    30 * DAY_MS,
    14 * DAY_MS,
    545 * DAY_MS,
  ]);
  refuses(parseDuration, ["", "30", "d", "1.5d", "3x", "1d2", "soon"]);
});

test("shares", () => {
  assert.deepEqual(["5%", "0.05", "100%", "1"].map(parseShare), [0.05, 0.05, 1, 1]);
  refuses(parseShare, ["", "0", "0%", "101%", "2", "-5%", "five"]);
});

test("counts and dates", () => {
  assert.deepEqual(["0", "42"].map(parseCount), [0, 42]);
  refuses(parseCount, ["", "-1", "1.5", "1e3", "9999999999"]);
  assert.equal(parseDate("2d", 1000), 1000 + 2 * DAY_MS);
  assert.equal(parseDate("2027-01-31T10:00:00Z", 0), Date.UTC(2027, 0, 31, 10));
  assert.equal(parseDate("2027-01-31", 0), new Date(2027, 0, 31).getTime());
  refuses((text) => parseDate(text, 0), ["", "tomorrow", "2027-13-01", "31.1.2027", "2027"]);
});

test("advice on passphrases is for weak ones only", () => {
  for (const weak of ["", "short", "aaaaaaaaaaaaaaaa", "12345678901234"]) assert.ok(passphraseAdvice(weak), weak);
  for (const fine of ["correct horse battery staple", "xK7!pqM2#vLz9"]) assert.equal(passphraseAdvice(fine), undefined);
});
