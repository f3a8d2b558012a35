// Gives a server a past: a month of runs, some of which went wrong, sizes that grew, a device with an agent and plans. Written into its database,
// because nobody waits a month for a picture.

import { createHash } from "node:crypto";
import type { DeviceId, NameToken, SessionId, SnapshotId, VaultId } from "../../src/core/ids.ts";
import { saveSamples } from "../../src/server/overview/history.ts";
import { saveAbout } from "../../src/server/runs/about.ts";
import { newRun } from "../../src/server/runs/run-change.ts";
import { saveRun } from "../../src/server/runs/run-rows.ts";
import { logDevices } from "../../src/vault/server-queries.ts";
import type { RunState } from "../../src/wire/v4/api/run-routes.ts";
import type { Site } from "./rig.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const DAYS = 45;
const GB = 1e9;

export function addPast(site: Pick<Site, "server">, vault: VaultId): void {
  const { kit } = site.server;
  const now = kit.clock.now();
  const served = kit.vaults.byNameOrId(vault)!;
  const devices = [...logDevices(served.vault.context).values()];
  const sizes = [310 * GB, 96 * GB, 1450 * GB];
  devices.forEach(({ device }, place) => {
    const [os, arch] = (["linux x64", "darwin arm64", "linux arm64"][place % 3] ?? "linux x64").split(" ") as [
      string,
      string,
    ];
    saveAbout(kit.database, vault, device, { version: "4.0.0", os, arch, release: "6.12", toldAt: now });
    for (let day = DAYS; day >= 1; day--) {
      // Laptops are not always on.
      if (place === 1 && day % 6 === 0) continue;
      addRun({ kit, vault, device, place, day, now, size: sizes[place % 3]! });
    }
  });
  addSizes(site, vault, now);
}

/** So many more runs of a vault's first device, one a minute before all others. */
export function addManyRuns({ server: { kit } }: Pick<Site, "server">, vault: VaultId, count: number): void {
  const { device } = [...logDevices(kit.vaults.byNameOrId(vault)!.vault.context).values()][0]!;
  const oldest = kit.clock.now() - 2 * DAYS * DAY;
  kit.database.transaction(() => {
    for (let n = 0; n < count; n++) {
      const startedAt = oldest - n * 60_000;
      const { run } = newRun(vault, device, hex(`many ${n}`, 32) as SessionId, startedAt);
      const ended = { state: "done", phase: "ended", endedAt: startedAt + 1000, heardAt: startedAt + 1000 } as const;
      saveRun(kit.database, { n: 1, run: { ...run, ...ended } });
    }
  });
}

type Past = {
  readonly kit: Site["server"]["kit"];
  readonly vault: VaultId;
  readonly device: DeviceId;
  readonly place: number;
  readonly day: number;
  readonly now: number;
  readonly size: number;
};

function addRun({ kit, vault, device, place, day, now, size }: Past): void {
  const id = hex(`${device} ${day}`, 32) as SessionId;
  const startedAt = now - day * DAY + place * 2 * HOUR;
  const state = stateOf(place, day);
  const elapsedMs = (4 + ((day * 7 + place) % 9)) * 60_000;
  const done = Math.round(size * (1 - day / 400));
  const read = Math.round(done * 0.006 * (1 + ((day * 13) % 7)));
  const fresh = Math.round(read * 0.6);
  const { run } = newRun(vault, device, id, startedAt);
  saveRun(kit.database, {
    n: 9,
    run: {
      ...run,
      state,
      phase: "ended",
      plan: hex(`plan ${device}`, 32) as NameToken,
      trigger: day % 9 === 0 ? "catch-up" : "schedule",
      heardAt: startedAt + elapsedMs,
      endedAt: startedAt + elapsedMs,
      elapsedMs,
      counts: {
        files: 84_213 - day * 11,
        directories: 9120,
        others: 212,
        newFiles: (day * 17) % 160,
        changedFiles: (day * 29) % 340,
        unchangedFiles: 83_500,
        problems: day % 11 === 0 ? 3 : 0,
        changedWhileRead: day % 5 === 0 ? 1 : 0,
      },
      bytes: { done, read, new: fresh, added: Math.round(fresh * 0.55), sent: Math.round(fresh * 0.56) },
      expected: { files: 84_000, bytes: done },
      snapshot: state === "done" ? (hex(`snapshot ${id}`, 64) as SnapshotId) : null,
      error: state === "failed" ? "server_unreachable" : state === "interrupted" ? "run_silent" : null,
      isReported: true,
    },
  });
}

function stateOf(place: number, day: number): RunState {
  if (place === 2 && (day === 5 || day === 6 || day === 19)) return "failed";
  if (place === 1 && day === 13) return "interrupted";
  return "done";
}

function addSizes({ server: { kit } }: Pick<Site, "server">, vault: VaultId, now: number): void {
  for (let hour = DAYS * 24; hour >= 0; hour--) {
    const at = now - hour * HOUR;
    const grown = 1 - hour / (DAYS * 24 * 4);
    const wave = 1 + 0.02 * Math.sin(hour / 40);
    const protectedBytes = Math.round(1.86e12 * grown);
    const storedBytes = Math.round(0.74e12 * grown * wave);
    const sample = { storedBytes, snapshots: 100, chunks: 1_400_000, protectedBytes };
    const sums = { allBytes: 60 * protectedBytes, newBytes: 2 * storedBytes, addedBytes: storedBytes };
    const samples = new Map([[vault, { at, ...sample, ...sums }]]);
    saveSamples(kit.database, samples, { at, totalBytes: 4e12, freeBytes: Math.round(4e12 - 2.2e12 * grown) });
  }
}

function hex(text: string, length: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}
