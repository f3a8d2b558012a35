import assert from "node:assert/strict";
import { test } from "node:test";
import { isRecentEnough } from "./node-version.ts";

test("only a Node that the product runs on is recent enough", () => {
  for (const version of ["24.12.0", "24.13.1", "25.0.0", "26.10.0"]) assert.ok(isRecentEnough(version), version);
  for (const version of ["20.20.2", "22.18.0", "24.11.9", "24.2.0"]) assert.ok(!isRecentEnough(version), version);
});
