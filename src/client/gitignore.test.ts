import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import { type RawPath, rawFromText } from "../core/raw-path.ts";
import { parseGitignore, parseRule } from "./gitignore.ts";

// What git itself says of thousands of generated cases: tests/interop/gitignore.test.ts.

const matches = (pattern: string, name: string, ignoreCase = false) =>
  parseRule(rawFromText(pattern), { ignoreCase })?.matches(rawFromText(name)) ?? false;

describe("a pattern", () => {
  test("of one part is matched against names, others against paths", () => {
    for (const [pattern, scope, directoriesOnly, negated] of [
      ["a*", "name", false, false],
      ["!a/", "name", true, true],
      ["a/b", "path", false, false],
      ["/a", "rooted", false, false],
      ["!/a/b/", "rooted", true, true],
      ["**/a", "path", false, false],
    ] as const) {
      const rule = parseRule(pattern as RawPath)!;
      assert.deepEqual([rule.scope, rule.directoriesOnly, rule.negated], [scope, directoriesOnly, negated], pattern);
    }
  });

  test("that can never match is none", () => {
    for (const pattern of ["", "/", "!", "!/", "[a", "[]", "a\\", "[[:nope:]]", "[a\\"]) {
      assert.equal(parseRule(pattern as RawPath), undefined, pattern);
    }
  });

  test("works on bytes: on names that are not UTF-8, and with a question mark for each byte", () => {
    assert.ok(parseRule("*\xff*" as RawPath)!.matches("a\xffb"));
    assert.ok(parseRule("[\xf0-\xff]" as RawPath)!.matches("\xff"));
    assert.ok(parseRule("a*" as RawPath, { ignoreCase: true })!.matches("A\xff"));
    assert.ok(!matches("?", "é"));
    assert.ok(matches("??", "é"));
  });

  test("without regard to case knows the letters of all scripts", () => {
    for (const [pattern, name] of [
      ["*.JPG", "a.jpg"],
      ["*.jpg", "A.JPG"],
      ["É*", "éa"],
      ["straße", "STRAßE"],
      ["[A-C]x", "bX"],
      ["[[:upper:]]", "x"],
      ["a/B", "A/b"],
    ] as const) {
      assert.ok(matches(pattern, name, true), `${pattern} ${name}`);
      assert.ok(!matches(pattern, name), `${pattern} ${name}`);
    }
  });

  test("with many stars takes no time, whatever it meets", () => {
    const name = "a".repeat(255);
    const path = `${"a/".repeat(1000)}b`;
    const start = process.cpuUsage();
    assert.ok(!matches(`${"*a".repeat(60)}*b`, name));
    assert.ok(!matches(`${"**/a/".repeat(60)}c`, path));
    assert.ok(matches(`${"**/a/".repeat(60)}b`, path));
    const { user, system } = process.cpuUsage(start);
    assert.ok(user + system < 1_000_000, `${user + system} µs of the processor`);
  });

  test("of any kind is parsed and matched without an error", () => {
    const bytes = fc.string({
      unit: fc.oneof(fc.constantFrom(..."[]!^-\\*?:/ "), fc.constantFrom("a", "b", "\xff", "\0")),
    });
    fc.assert(
      fc.property(bytes, bytes, fc.boolean(), (pattern, name, ignoreCase) => {
        parseRule(pattern as RawPath, { ignoreCase })?.matches(name);
        for (const rule of parseGitignore(`${pattern}\n${name}` as RawPath)) rule.matches(name);
      }),
      { numRuns: 2000 },
    );
  });
});
