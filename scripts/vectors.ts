// Compares the golden vectors in tests/vectors/ with what the code makes; with --write, writes them.
// A vector that changes means that stored data changes: that needs a new format version, not a new vector.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { GOLDEN } from "../tests/golden.ts";

const write = process.argv.includes("--write");
let stale = 0;

for (const [name, build] of Object.entries(GOLDEN)) {
  const path = fileURLToPath(new URL(`../tests/vectors/${name}.json`, import.meta.url));
  const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  const after = `${JSON.stringify(await build(before && JSON.parse(before)), null, 1)}\n`;
  if (after === before) continue;
  stale++;
  if (write) writeFileSync(path, after);
  console.log(`tests/vectors/${name}.json ${write ? "is written" : "differs: is the format meant to change?"}`);
}
process.exitCode = stale > 0 && !write ? 1 : 0;
