// Our checksum against the `cksum` program of this machine.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { cksum } from "../../src/core/checksum.ts";
import { fc } from "../fast-check.ts";

const missing = spawnSync("cksum", { input: "" }).status !== 0 && "there is no cksum program here";

function programCksum(bytes: Uint8Array): number {
  const run = spawnSync("cksum", { input: bytes, env: { ...process.env, LC_ALL: "C", POSIXLY_CORRECT: "1" } });
  assert.equal(run.status, 0, String(run.stderr));
  const [crc, length] = String(run.stdout).trim().split(/\s+/);
  assert.equal(Number(length), bytes.length);
  return Number(crc);
}

describe("the cksum program", { skip: missing }, () => {
  test("agrees at every length around the block and length-byte limits", () => {
    for (const length of [0, 1, 7, 8, 9, 255, 256, 257, 65_535, 65_536, 65_537, 16_777_216]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + length) % 256);
      assert.equal(cksum(bytes), programCksum(bytes), `length ${length}`);
    }
  });

  test("agrees on random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => assert.equal(cksum(bytes), programCksum(bytes))),
      { numRuns: 40 },
    );
  });

  test("agrees on 1,000 random files", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "cb-cksum-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const random = randomBytes(200_000);
    for (let i = 0; i < 1000; i++) {
      const from = randomInt(random.length);
      const length = randomInt(Math.min(2 ** randomInt(1, 18), random.length - from));
      writeFileSync(join(folder, String(i)), random.subarray(from, from + length));
    }
    const names = readdirSync(folder);
    const run = spawnSync("cksum", names, { cwd: folder, env: { ...process.env, LC_ALL: "C", POSIXLY_CORRECT: "1" } });
    assert.equal(run.status, 0, String(run.stderr));
    const lines = String(run.stdout).trimEnd().split("\n");
    assert.equal(lines.length, 1000);
    for (const line of lines) {
      const [crc, length, name] = line.split(" ");
      const bytes = readFileSync(join(folder, name!));
      assert.deepEqual([cksum(bytes), bytes.length], [Number(crc), Number(length)], line);
    }
  });
});
