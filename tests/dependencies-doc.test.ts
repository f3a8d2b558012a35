import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

type Manifest = { dependencies: Record<string, string>; devDependencies: Record<string, string> };

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

test("docs/dependencies.md gives a reason for each dependency, and for nothing else", () => {
  const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Manifest;
  const [, atRunTime = "", forDevelopment = ""] = read("docs/dependencies.md").split(/^## .*$/m);
  assert.deepEqual(reasoned(atRunTime), Object.keys(dependencies).sort());
  assert.deepEqual(reasoned(forDevelopment), Object.keys(devDependencies).sort());
});

/** The packages whose row has something in each of its three cells. */
function reasoned(section: string): string[] {
  const rows = section.matchAll(/^\| `([^`]+)` \|\s*\S[^|]*\|\s*\S[^|]*\|$/gm);
  return Array.from(rows, ([, name = ""]) => name).sort();
}
