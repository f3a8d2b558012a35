// The first signal asks, the second one orders, and afterwards the platform has its signals back.

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { listenForInterruption } from "./signals.ts";

test("first, second, none", () => {
  const process = new EventEmitter();
  const said: string[] = [];
  const { signal, stop } = listenForInterruption(
    process,
    () => said.push("first"),
    () => said.push("second"),
  );
  assert.equal(signal.aborted, false);
  process.emit("SIGINT");
  assert.equal(signal.aborted, true);
  process.emit("SIGTERM");
  process.emit("SIGINT");
  assert.deepEqual(said, ["first", "second", "second"]);
  stop();
  assert.deepEqual(process.eventNames(), []);
});
