// What packs wait for, and what is counted while they arrive. The refusals themselves are tested with a whole server (tests/server/jobs.test.ts).

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testClock } from "../../tests/vault/kit.ts";
import { fromHex } from "../core/bytes.ts";
import type { DeviceId, VaultId } from "../core/ids.ts";
import { Quotas } from "./quota.ts";
import type { ServedVault } from "./vaults.ts";

const DEVICE = "ab".repeat(16) as DeviceId;
const NEXT_BLOCK = 2_000_001;

describe("a pack for a vault that was not counted yet", () => {
  it("does not wait for the count where there is no quota, and is in it", async () => {
    const { quotas, served, asked } = countless(null);
    const allowance = await quotas.admit({ kind: "pack", vault: served, device: DEVICE, sizeBytes: 5 });
    const askedUntilThen = asked.slices;
    allowance.take(5);
    allowance.end([NEXT_BLOCK]);
    assert.deepEqual(await quotas.usage(served), { bytes: 10 + 5, snapshots: 0 });
    assert.ok(askedUntilThen < asked.slices, `${askedUntilThen} of ${asked.slices} slices`);
  });

  it("waits for it where there is a quota", async () => {
    const { quotas, served } = countless(14);
    const pack = { kind: "pack", vault: served, device: DEVICE, sizeBytes: 5 } as const;
    await assert.rejects(quotas.admit(pack), { code: "quota_full" });
  });

  it("is counted once when all is counted anew while it arrives", async () => {
    const { quotas, served } = countless(null);
    const allowance = await quotas.admit({ kind: "pack", vault: served, device: DEVICE, sizeBytes: 5 });
    quotas.forget(served.id);
    assert.deepEqual(await quotas.usage(served), { bytes: 10, snapshots: 0 });
    allowance.take(5);
    allowance.end([NEXT_BLOCK]);
    assert.deepEqual(await quotas.usage(served), { bytes: 15, snapshots: 0 });
  });
});

/** A vault with ten bytes in two million blocks. */
function countless(bytes: number | null): { quotas: Quotas; served: ServedVault; asked: { slices: number } } {
  const asked = { slices: 0 };
  const database = {
    get: (sql: string) => (sql.includes("nextBlockNo") ? { value: NEXT_BLOCK } : { count: 0 }),
    tuples(_sql: string, first: number) {
      asked.slices++;
      return first === 1 ? [[fromHex(DEVICE), 10]] : [];
    },
  };
  const served = { id: "cd".repeat(16) as VaultId, name: "home", vault: { context: { database } } };
  const quotas = new Quotas({
    clock: testClock(),
    dataFolder: "/",
    reserveBytes: 0,
    ofVault: () => ({ bytes, snapshots: null }),
    ofDevice: () => ({ bytes: null, snapshots: null }),
    freeBytes: async () => 2 ** 40,
  });
  return { quotas, served: served as unknown as ServedVault, asked };
}
