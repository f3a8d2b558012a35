// Two devices that store the same chunk at the same time both keep their block: each snapshot finds it in the one that it names.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { SnapshotId } from "../../src/core/ids.ts";
import { commitRefs, newSession, newWorld, put, randomBlock } from "./kit.ts";

test("of two blocks with one chunk the preferred one is named, else the oldest", async () => {
  const world = await newWorld();
  const vault = await world.open();
  try {
    const block = randomBlock(world.random);
    const twin = { ...randomBlock(world.random), chunkIds: block.chunkIds };
    const [first, second] = [await newSession(world, vault), await newSession(world, vault)];
    const [older] = await put(world, vault, first, [block]);
    const [newer] = await put(world, vault, second, [twin]);
    const [byFirst, bySecond] = [
      await commitRefs(world, vault, first, [older!]),
      await commitRefs(world, vault, second, [newer!]),
    ];
    const whereOf = async (prefer?: SnapshotId) =>
      (await vault.locateChunks(block.chunkIds, prefer)).map((location) => location?.blockNo);
    assert.deepEqual(new Set(await whereOf()), new Set([older]));
    assert.deepEqual(new Set(await whereOf(bySecond)), new Set([newer]));
    assert.deepEqual(new Set(await whereOf(byFirst)), new Set([older]));
    assert.deepEqual(new Set(await whereOf("00".repeat(32) as SnapshotId)), new Set([older]));
  } finally {
    await vault.close();
    world.disk.remove();
  }
});
