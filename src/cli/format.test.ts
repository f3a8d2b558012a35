// What people read: sizes, times, tables, paths and the live lines.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rawFromText } from "../core/raw-path.ts";
import { modeLetters } from "./entry-line.ts";
import { formatBytes, plural } from "./format-bytes.ts";
import { formatAge, formatDuration } from "./format-time.ts";
import { smoothedRate } from "./rate.ts";
import { shownPath, shownText } from "./shown-path.ts";
import { statusLines } from "./status.ts";
import { table } from "./table.ts";
import { shortenMiddle, textWidth } from "./text-width.ts";

test("sizes have three figures and binary units", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [10_235, "10.0 KiB"],
    [102_297, "99.9 KiB"],
    [102_400, "100 KiB"],
    [2 ** 20 - 1, "1.00 MiB"],
    [1.5 * 2 ** 30, "1.50 GiB"],
    [2 ** 60, "1024 PiB"],
  ];
  for (const [bytes, shown] of cases) assert.equal(formatBytes(bytes), shown);
  assert.equal(plural(1, "entry", "entries"), "1 entry");
  assert.equal(plural(2000, "file"), "2,000 files");
});

test("ages and durations", () => {
  const now = 1_800_000_000_000;
  const cases: [number, string][] = [
    [0, "just now"],
    [59_000, "just now"],
    [60_000, "1 minute ago"],
    [3 * 3_600_000, "3 hours ago"],
    [8 * 86_400_000, "1 week ago"],
    [-2 * 86_400_000, "in 2 days"],
    [800 * 86_400_000, "2 years ago"],
  ];
  for (const [before, shown] of cases) assert.equal(formatAge(now - before, now), shown);
  assert.deepEqual([440, 12_000, 187_000, 7_387_000].map(formatDuration), ["0.4 s", "12 s", "3:07", "2:03:07"]);
});

describe("text", () => {
  test("wide and combining characters are measured", () => {
    const texts = ["abc", "漢字", "e\u0301", "\x1b[1mx\x1b[22m"];
    assert.deepEqual(texts.map(textWidth), [3, 4, 1, 1]);
  });

  test("what is too wide loses its middle and never exceeds its width", () => {
    const path = "/home/ann/漢字/a very long name indeed.txt";
    for (let width = 0; width <= textWidth(path) + 1; width++) {
      assert.ok(textWidth(shortenMiddle(path, width)) <= width, String(width));
    }
    assert.equal(shortenMiddle(path, 100), path);
    assert.ok(shortenMiddle(path, 20).endsWith("indeed.txt"));
  });

  test("tables align by what is seen", () => {
    const lines = table(
      [{ title: "A" }, { title: "N", align: "right" }],
      [
        ["漢", "1"],
        ["abc", "100"],
      ],
    );
    assert.deepEqual(lines, ["A      N", "漢     1", "abc  100"]);
  });

  test("paths are shown whole, without quotes, with controls escaped", () => {
    assert.equal(shownPath(rawFromText("/plain/path")), "/plain/path");
    assert.equal(shownText("a\nb\u202ec\x1b[2J"), "a\\u{a}b\\u{202e}c\\u{1b}[2J");
    const long = `${"ä".repeat(300)}\n`;
    assert.equal(shownText(long), `${"ä".repeat(300)}\\u{a}`);
  });

  test("modes as ls writes them", () => {
    assert.deepEqual([0o755, 0o644, 0o4755, 0o2644, 0o1777, 0o1666].map(modeLetters), [
      "rwxr-xr-x",
      "rw-r--r--",
      "rwsr-xr-x",
      "rw-r-Sr--",
      "rwxrwxrwt",
      "rw-rw-rwT",
    ]);
  });
});

describe("live status", () => {
  test("a steady stream shows its rate; a burst moves it only by degrees", () => {
    const rate = smoothedRate();
    for (let second = 1; second <= 10; second++) assert.ok(Math.abs(rate(second * 1000, second * 1000) - 1000) < 1e-6);
    const burst = rate(10_000 + 100_000, 11_000);
    assert.ok(burst > 1000 && burst < 50_000);
    assert.equal(rate(200_000, 11_000), burst);
  });

  test("lines fit, escape, and tell the time left where the total is known", () => {
    const lines = statusLines(
      {
        command: "restore",
        bytes: 2 ** 20,
        totalBytes: 3 * 2 ** 20,
        problems: 2,
        done: "1 file",
        workers: ["", "/a\nb/c", `/${"long/".repeat(50)}`],
      },
      { elapsedMs: 1000, bytesPerSecond: 2 ** 20, width: 60 },
    );
    assert.equal(lines[0], "1 file  1.00 MiB/s  1.0 s  2.0 s left  2 not readable");
    assert.equal(lines[1], "  /a\\u{a}b/c");
    assert.equal(lines.length, 3);
    assert.ok(lines.every((line) => textWidth(line) <= 60));
  });
});
