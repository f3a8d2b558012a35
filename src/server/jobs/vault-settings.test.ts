// Which change of what a vault keeps asks for a second factor: every one after which something may go that would have stayed.

import assert from "node:assert/strict";
import { it } from "node:test";
import type { NameToken } from "../../core/ids.ts";
import type { Policy, VaultSettings } from "../../wire/v4/api/job-routes.ts";
import { keepsLess } from "./vault-settings.ts";

const PLAN = "70".repeat(16) as NameToken;
const TAG = "71".repeat(16) as NameToken;

function settings(
  byDefault: Policy | null,
  byPlan: Record<string, Policy> = {},
  more: Partial<VaultSettings> = {},
): VaultSettings {
  const retention = { byDefault, byPlan, timeZone: "UTC" };
  return { retention, trashDays: 7, quota: { bytes: null, snapshots: null }, ...more };
}

const LESS: [string, VaultSettings, VaultSettings][] = [
  ["a policy where everything was kept", settings(null), settings({ last: 100 })],
  ["a lower count", settings({ daily: 7, weekly: 4 }), settings({ daily: 7, weekly: 3 })],
  ["a rule less", settings({ daily: 7, withinMs: 5 }), settings({ daily: 7 })],
  ["a trade of one rule for another", settings({ daily: 7 }), settings({ weekly: 70 })],
  ["a tag that no longer keeps", settings({ last: 1, tags: [TAG] }), settings({ last: 1 })],
  ["a plan's own policy", settings(null), settings(null, { [PLAN]: { last: 3 } })],
  ["a plan that falls back", settings({ last: 1 }, { [PLAN]: { last: 3 } }), settings({ last: 1 })],
  ["a shorter trash", settings(null), settings(null, {}, { trashDays: 6 })],
  [
    "days that begin elsewhere",
    settings({ daily: 7 }),
    { ...settings({ daily: 7 }), retention: { byDefault: { daily: 7 }, byPlan: {}, timeZone: "Asia/Tokyo" } },
  ],
];

const NOT_LESS: [string, VaultSettings, VaultSettings][] = [
  ["no change", settings({ daily: 7 }), settings({ daily: 7 })],
  ["higher counts", settings({ daily: 7 }), settings({ daily: 8, weekly: 1 })],
  ["everything", settings({ daily: 7 }), settings(null)],
  ["a policy without a rule, which keeps everything", settings({ daily: 7 }), settings({ daily: 0 })],
  ["one more tag", settings({ last: 1 }), settings({ last: 1, tags: [TAG] })],
  ["a longer trash", settings({ last: 1 }), settings({ last: 1 }, {}, { trashDays: 8 })],
  ["a quota", settings({ last: 1 }), settings({ last: 1 }, {}, { quota: { bytes: 1, snapshots: 1 } })],
];

for (const [name, before, after] of LESS) it(`${name} keeps less`, () => assert.equal(keepsLess(before, after), true));
for (const [name, before, after] of NOT_LESS)
  it(`${name} does not`, () => assert.equal(keepsLess(before, after), false));
