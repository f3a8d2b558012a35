import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDay,
  formatDuration,
  formatExactTime,
  formatShare,
  formatSpeed,
  formatTime,
  plural,
} from "./numbers.ts";

test("sizes are in powers of a thousand, as the locale writes them", () => {
  const sizes = [0, 1, 999, 1000, 1_549_000, 12_340_000_000, 5e15].map((bytes) => formatBytes(bytes, "en"));
  assert.deepEqual(sizes, ["0 bytes", "1 byte", "999 bytes", "1 kB", "1.55 MB", "12.3 GB", "5 PB"]);
  assert.equal(formatBytes(1_549_000, "de"), "1,55 MB");
  assert.equal(formatSpeed(81_000_000, "en"), "81 MB/s");
});

test("counts and shares", () => {
  assert.equal(formatCount(1_234_567, "en"), "1,234,567");
  assert.equal(formatShare(0.4213, "en"), "42%");
  assert.equal(formatShare(0.0123, "en"), "1.2%");
  assert.equal(plural(1, "{n} device", "{n} devices", "en"), "1 device");
  assert.equal(plural(1200, "{n} device", "{n} devices", "en"), "1,200 devices");
});

test("times: how long ago, how long, and when", () => {
  const now = Date.UTC(2026, 10, 23, 12);
  assert.equal(formatAge(now - 3 * 3_600_000, now, "en"), "3 hours ago");
  assert.equal(formatAge(now + 2 * 86_400_000, now, "en"), "in 2 days");
  assert.equal(formatAge(now - 400, now, "en"), "now");
  assert.equal(formatDuration(125_000, "en"), "2 min 5 sec");
  assert.equal(formatDuration(90_000_000, "en"), "1 day 1 hr");
  assert.equal(formatDuration(250, "en"), "250 ms");
  for (const format of [formatTime, formatExactTime, formatDay]) assert.match(format(now, "en"), /2026/);
});
