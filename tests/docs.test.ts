// The generated pages say what the tables in src/ say.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { PAGES, renew } from "../scripts/docs.ts";
import { CONFIG_KEYS, envName, LIMITS, PORTS } from "../src/core/config-schema.ts";
import { ERRORS } from "../src/core/errors.ts";

const read = (name: string): string => readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8");

describe("generated docs", () => {
  for (const [name, parts] of Object.entries(PAGES)) {
    test(`docs/${name} is up to date (else: node scripts/docs.ts)`, () =>
      assert.equal(read(name), renew(read(name), parts)));
  }

  test("config.md names every setting, its variable, every port and every limit", () => {
    const page = read("config.md");
    for (const key of CONFIG_KEYS)
      assert.ok(page.includes(`| \`${key}\` |`) && page.includes(`\`${envName(key)}\``), key);
    for (const [name, { value }] of Object.entries({ ...PORTS, ...LIMITS }))
      assert.ok(page.includes(`| ${name} | ${value} |`), name);
  });

  test("errors.md names every error code", () => {
    const page = read("errors.md");
    for (const code of Object.keys(ERRORS)) assert.ok(page.includes(`| \`${code}\` |`), code);
  });

  test("a stale part is renewed and what stands around it is kept", () => {
    const page = "before\n<!-- generated: x -->\nold\n<!-- end: x -->\nafter\n";
    const renewed = renew(page, [{ name: "x", render: () => "new" }]);
    assert.equal(renewed, page.replace("old", "new"));
    assert.throws(() => renew("no marks", [{ name: "x", render: () => "new" }]));
  });
});
