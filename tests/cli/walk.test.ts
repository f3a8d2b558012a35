// Every command on a vault in a folder; and the demo, which makes its own.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { cliResult, newPlace } from "./run-cli.ts";
import { walk } from "./walk.ts";

const place = newPlace();

walk({
  place,
  prepare: async () => undefined,
  remove: async () => place.remove(),
  async loseIndex() {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(place.vault, `index.db${suffix}`), { force: true });
  },
  strangerExit: 12,
  account: async () => ({}),
});

test("demo proves itself and leaves nothing", async () => {
  const own = newPlace();
  const letters = join(own.folder, "letters");
  mkdirSync(letters);
  writeFileSync(join(letters, "ann.txt"), "Dear Ann,\n");
  const { ok, steps, files } = await cliResult(own, "demo", [letters], {
    env: { TMPDIR: join(own.folder, "cwd") },
  });
  assert.ok(ok && files > 100 && steps.length >= 10);
  assert.deepEqual(readdirSync(join(own.folder, "cwd")), []);
  own.remove();
});
