// An agent runs for years: after ten thousand runs its memory must be what it was after a few.

import assert from "node:assert/strict";
import test from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { VaultId } from "../../src/core/ids.ts";
import { SimDevice } from "./sim-device.ts";

const VAULT = "33".repeat(16) as VaultId;
const MINUTE = 60_000;
const RUNS = 10_000;
/** In either half of the runs: one that left one object with its closure behind, 100 bytes, would leave more in both. */
const MAY_GROW_BYTES = 500_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("memory is flat over ten thousand runs, with tries that fail among them", async () => {
  let calls = 0;
  const device = new SimDevice({
    startAt: Date.parse("2026-01-01T00:00:30Z"),
    timeZone: "UTC",
    seed: 3,
    lastsMs: () => 1000,
    // Each time the second half of a run in seven finds no server.
    trouble: () => (calls++ % 7 === 6 ? "server_unreachable" : undefined),
  });
  device.stores.addVault(VAULT);
  device.stores.addPlan(VAULT, {
    name: "often",
    sources: ["/x"],
    schedule: "every minute",
    retries: { firstWaitSeconds: 5 },
  });
  await device.start();
  let runs = 0;
  const advance = async (count: number): Promise<void> => {
    for (const goal = runs + count; runs < goal; ) {
      await device.timers.advanceTo(device.now + 10 * MINUTE);
      runs += device.attempts.filter(({ outcome }) => outcome === "ok").length;
      // What the test writes down is not the agent's.
      device.attempts.length = 0;
      device.events.length = 0;
      device.snapshots.clear();
    }
  };
  await advance(500);
  const heaps = [heap()];
  for (let half = 0; half < 2; half++) {
    await advance(RUNS / 2);
    heaps.push(heap());
  }
  // Code that is compiled late grows the heap once.
  const [first, second] = [heaps[1]! - heaps[0]!, heaps[2]! - heaps[1]!];
  assert.ok(runs >= RUNS, `${runs} runs`);
  assert.ok(Math.min(first, second) < MAY_GROW_BYTES, `the heap grew by ${first} bytes, then by ${second}`);
  assert.ok(device.timers.pending <= 2, `${device.timers.pending} timers wait`);
  await device.stop();
});

function heap(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
