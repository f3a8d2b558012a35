import assert from "node:assert/strict";
import { test } from "node:test";
import { watchStolen } from "./stolen.ts";

test("what others took is a share of the time since the look began, or unknown", () => {
  const share = watchStolen()();
  if (process.platform === "linux") assert.ok(share !== undefined && share >= 0 && share <= 1, String(share));
  else assert.equal(share, undefined);
});
