// Real processes, killed with SIGKILL while they store: after each one every acknowledged snapshot verifies to the last byte, and at
// the end a run goes through and restores. When to kill is told by what happens in the vault's folder, not by a clock.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { cli, cliResult, ended, newPlace, type Place, start } from "../cli/run-cli.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";

const FILES = 12;
const FILE_BYTES = 400_000;
/** After how many events in the vault's folder the process dies. */
const KILL_AT = [1, 4, 9, 14, 20, 27];
const SMALL_PACKS = { CYBERBACKUP_PACK_SIZE_MIB: "1" };

test("a backup killed anywhere loses nothing that was acknowledged", async () => {
  const place = newPlace();
  try {
    const data = join(place.folder, "data");
    mkdirSync(data);
    await cli(place, ["init"]);
    fill(data, 0);
    const first = await cliResult(place, "backup", [data], { env: SMALL_PACKS });
    for (const [generation, events] of KILL_AT.entries()) {
      fill(data, generation + 1);
      await killDuring(place, ["backup", data, "--quiet"], events);
      await cli(place, ["verify", "--read-data", "--quiet"]);
    }
    await cli(place, ["backup", data, "--quiet"], { env: SMALL_PACKS });
    await cli(place, ["forget", "--keep-last", "1", "--quiet"]);
    await killDuring(place, ["prune", "--trash-days", "0", "--quiet"], 3);
    await cli(place, ["prune", "--trash-days", "0", "--quiet"]);
    await cli(place, ["verify", "--read-data", "--quiet"]);
    const target = join(place.folder, "target");
    await cli(place, ["restore", "latest", "--target", target, "--quiet"]);
    for (const name of names())
      assert.ok(readFileSync(join(target, data, name)).equals(readFileSync(join(data, name))), name);
    assert.ok(first.command === "backup");
  } finally {
    place.remove();
  }
});

/** Kills the command at the n-th event in the vault's folder. It may be done before: that is one of the moments. */
async function killDuring(place: Place, args: readonly string[], events: number): Promise<void> {
  let seen = 0;
  const child = start(place, args, { env: SMALL_PACKS });
  const watcher = watch(place.vault, { recursive: true }, () => {
    if (++seen === events) child.kill("SIGKILL");
  });
  child.stdin!.end();
  try {
    await ended(child);
  } finally {
    watcher.close();
  }
}

function names(): string[] {
  return Array.from({ length: FILES }, (_, i) => `file-${i}`);
}

function fill(folder: string, generation: number): void {
  for (const [i, name] of names().entries())
    writeFileSync(join(folder, name), pseudoRandomBytes(1 + i + 1000 * generation, FILE_BYTES));
}
