// A server as somebody has used it for a while: a vault, three devices that have backed up files of real kinds, jobs that have run,
// people with roles. For screenshots and for checks of every page. All of it by the real command line and API.

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openHome } from "../../src/client/home.ts";
import { systemRandom } from "../../src/core/clock.ts";
import type { DeviceId, VaultId } from "../../src/core/ids.ts";
import type { MacKey } from "../../src/crypto/primitives.ts";
import { planChange } from "../../src/engine/plan-seal.ts";
import { savePlanStatus } from "../../src/server/plans/plan-store.ts";
import { PLAN_ROUTES } from "../../src/wire/v4/api/plan-routes.ts";
import { type PlanInput, readPlan } from "../../src/wire/v4/plan-body.ts";
import { cli, cliResult, newPlace, PASSPHRASE, type Place } from "../cli/run-cli.ts";
import { call } from "../server/device.ts";
import { addPerson, bodyOf, machine } from "../server/people-kit.ts";
import { addPast } from "./past.ts";
import { OWNER, PASSWORD, type Site, startSite } from "./rig.ts";

export type Furnished = {
  readonly site: Site;
  readonly vaultId: string;
  /** A device, and one of its runs. */
  readonly deviceId: string;
  readonly runId: string;
  /** A plan of that device. */
  readonly planId: string;
  /** Passphrase of the vault. */
  readonly passphrase: string;
  [Symbol.asyncDispose](): Promise<void>;
};

const ROOT = join(import.meta.dirname, "..", "..");

export async function furnishedSite(): Promise<Furnished> {
  const site = await startSite({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
  try {
    return await furnish(site);
  } catch (error) {
    await site[Symbol.asyncDispose]();
    throw error;
  }
}

async function furnish(site: Site): Promise<Furnished> {
  const origin = `https://127.0.0.1:${site.server.port}`;
  const places: Place[] = [];
  const newMachine = (): Place => {
    const place = { ...newPlace(), vault: `${origin}/home` };
    places.push(place);
    return place;
  };
  const desktop = newMachine();
  const passwordFile = join(desktop.folder, "password.txt");
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  const pin = site.server.kit.identity().pin!;
  await cli(desktop, ["login", origin, "--server-pin", pin, "--email", OWNER, "--password-file", passwordFile]);
  await cli(desktop, ["init", "--device-name", "desktop"]);
  const documents = join(desktop.folder, "Documents");
  cpSync(join(ROOT, "docs"), documents, { recursive: true });
  await cli(desktop, ["backup", documents]);
  writeFileSync(join(documents, "letter.txt"), "Dear reader,\n".repeat(2000));
  await cli(desktop, ["backup", documents]);
  for (const name of ["laptop", "nas"]) {
    const place = newMachine();
    const { code } = await cliResult(desktop, "device invite", ["--name", name]);
    await cli(place, ["enroll", code, "--name", name]);
    const folder = join(place.folder, "Pictures");
    mkdirSync(folder);
    cpSync(join(ROOT, "src", "web", "app"), join(folder, "2026"), { recursive: true });
    await cli(place, ["backup", folder]);
  }
  await cliResult(desktop, "device trust", ["nas", "--apart"]);
  await cliResult(desktop, "device invite", ["--name", "garden camera"]);
  const local = machine(site);
  const { vaults } = bodyOf<{ vaults: { id: string }[] }>(await local.call("GET", "/api/v4/vaults"));
  const vault = vaults[0]!.id;
  await addPerson(site, "victor@example.org", { role: "viewer" });
  await addPerson(site, "oscar@example.org", { role: "operator" });
  for (const kind of ["check", "scrub", "gc"]) {
    const job = bodyOf<{ id: string }>(await local.call("POST", "/api/v4/jobs", { kind, vault }));
    await local.call("GET", `/api/v4/jobs/${job.id}?wait=30`);
  }
  addPast(site, vault as VaultId);
  const { items } = bodyOf<{ items: { run: string; device: string }[] }>(
    await local.call("GET", "/api/v4/runs?limit=1"),
  );
  const { writer } = await openHome(desktop.home).requireDevice(vault as VaultId);
  const planId = await addPlans(site, { vault, device: items[0]!.device }, writer.metaKey);
  return {
    site,
    vaultId: vault,
    deviceId: items[0]!.device,
    planId,
    runId: items[0]!.run,
    passphrase: PASSPHRASE,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      for (const place of places) place.remove();
    },
  };
}

const PLANS: readonly PlanInput[] = [
  {
    name: "documents",
    sources: ["/home/ann/Documents", "/home/ann/Pictures"],
    exclude: ["*.tmp", "/home/ann/Pictures/previews"],
    schedule: "every day between 22:00 and 06:00",
    timeZone: "Europe/Berlin",
    overdueAfterHours: 48,
    uploadLimits: [{ when: "weekdays between 08:00 and 18:00", kibps: 2048 }],
  },
  {
    name: "shop-database",
    command: { argv: ["pg_dump", "--format=plain", "shop"], filename: "shop.sql" },
    schedule: "every 6 hours",
    enabled: false,
  },
];

/** As a person makes them in the page; the first one as a device goes by it. Answers its id. */
async function addPlans(site: Site, place: { vault: string; device: string }, metaKey: MacKey): Promise<string> {
  const { vault, device } = place as { vault: VaultId; device: DeviceId };
  const ids = PLANS.map((_, i) => `${i + 1}`.repeat(32));
  for (const [i, plan] of PLANS.entries()) {
    const id = ids[i]!;
    const body = await planChange(metaKey, { vault, device, id, base: 0 }, readPlan(plan), systemRandom);
    await call({ socketPath: site.server.socketPath }, PLAN_ROUTES.putDevicePlan, {
      params: { ...place, plan: id },
      body,
    });
  }
  const nextDueAt = site.server.kit.clock.now() + 5 * 3_600_000;
  savePlanStatus(site.server.kit.database, vault, device, [
    { plan: ids[0]!, version: 1, nextDueAt, pausedUntil: null, error: null },
  ]);
  return ids[0]!;
}
