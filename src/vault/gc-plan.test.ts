import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import type { PackId } from "../core/ids.ts";
import { type PackUse, planGc } from "./gc-plan.ts";

const MIB = 2 ** 20;

function pack(id: number, sizeMiB: number, liveMiB: number, more: Partial<PackUse> = {}): PackUse {
  return {
    packId: String(id) as PackId,
    sizeBytes: sizeMiB * MIB,
    liveBytes: liveMiB * MIB,
    liveBlocks: liveMiB === 0 ? 0 : 1,
    deadBlocks: liveMiB === sizeMiB ? 0 : 1,
    isFrozen: false,
    ...more,
  };
}

test("packs without life go, wasteful ones are rewritten together, others stay", () => {
  const plan = planGc([pack(1, 32, 0), pack(2, 32, 10), pack(3, 32, 31), pack(4, 32, 12), pack(5, 32, 20)], []);
  assert.deepEqual(plan.remove, ["1"]);
  assert.deepEqual(plan.compact, [["2", "4"], ["5"]]);
  assert.equal(plan.keptPacks, 1);
  assert.equal(plan.freedBytes, (32 + 22 + 20 + 12) * MIB);
  assert.equal(plan.copiedBytes, 42 * MIB);
});

test("small packs are merged once there are several; a frozen one is left alone", () => {
  const small = Array.from({ length: 8 }, (_, i) => pack(i, 1, 1));
  assert.deepEqual(planGc(small.slice(1), []).compact, []);
  assert.deepEqual(planGc(small, []).compact, [small.map(({ packId }) => packId)]);
  assert.deepEqual(planGc([pack(1, 32, 1, { isFrozen: true })], []).compact, []);
});

test("every pack has one fate, no pack with life is removed, and no group is a lone pack without garbage", () => {
  const packs = fc.array(
    fc.record({
      sizeBytes: fc.integer({ min: 0, max: 64 * MIB }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      liveBlocks: fc.integer({ min: 0, max: 3 }),
      deadBlocks: fc.integer({ min: 0, max: 3 }),
      isFrozen: fc.boolean(),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(packs, (list) => {
      const uses = list.map(({ share, ...use }, i) => ({
        ...use,
        packId: String(i) as PackId,
        liveBytes: use.liveBlocks === 0 ? 0 : Math.floor(use.sizeBytes * share),
      }));
      const plan = planGc(uses, []);
      const moved = plan.compact.flat();
      assert.equal(new Set([...plan.remove, ...moved]).size, plan.remove.length + moved.length);
      assert.equal(plan.keptPacks + plan.remove.length + moved.length, uses.length);
      for (const id of plan.remove) assert.equal(uses[Number(id)]!.liveBlocks, 0);
      for (const id of moved) assert.ok(!uses[Number(id)]!.isFrozen);
      for (const group of plan.compact) {
        if (group.length === 1) assert.ok(uses[Number(group[0])]!.deadBlocks > 0);
      }
    }),
  );
});
