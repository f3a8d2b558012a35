// Who gets colours and live lines, and what happens when a reader goes away.

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { columnsOf, type TerminalStream, toleratePipeClosing, wantsColour, wantsLiveDisplay } from "./terminal.ts";

const stream = (isTTY: boolean, columns?: number): TerminalStream =>
  Object.assign(new Writable(), { isTTY, ...(columns === undefined ? {} : { columns }) });

test("colours and live lines are for terminals, unless ordered or refused", () => {
  const [terminal, pipe] = [stream(true, 120), stream(false)];
  assert.deepEqual([wantsColour("auto", terminal, {}), wantsColour("auto", pipe, {})], [true, false]);
  assert.deepEqual([wantsColour("always", pipe, {}), wantsColour("never", terminal, {})], [true, false]);
  assert.equal(wantsColour("auto", terminal, { NO_COLOR: "1" }), false);
  assert.equal(wantsColour("auto", terminal, { NO_COLOR: "" }), true);
  assert.deepEqual([wantsLiveDisplay("auto", terminal, {}), wantsLiveDisplay("auto", pipe, {})], [true, false]);
  assert.equal(wantsLiveDisplay("auto", terminal, { TERM: "dumb" }), false);
  assert.deepEqual([columnsOf(terminal), columnsOf(pipe)], [120, 80]);
});

test("a closed pipe is told once per error and never thrown; other errors are", () => {
  const writable = new Writable();
  let closed = 0;
  toleratePipeClosing(writable, () => closed++);
  writable.emit("error", Object.assign(new Error("gone"), { code: "EPIPE" }));
  assert.equal(closed, 1);
  assert.throws(() => writable.emit("error", Object.assign(new Error("full"), { code: "ENOSPC" })), /full/);
});
