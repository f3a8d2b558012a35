// npm run screenshots [-- --to=FOLDER WORD…]: takes a picture of every page (or of those whose name holds a word) at three widths, light and dark, of a
// real server with real backups, for people to look at. Fails when a browser complains on the way.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { furnishedSite } from "../tests/web/furnished.ts";
import { OWNER } from "../tests/web/rig.ts";
import { requireNode } from "./node-version.ts";
import { gatewayBeside, SCENES, type Scene } from "./screenshot-scenes.ts";

const WIDTHS = [390, 1280, 1920] as const;
const HEIGHTS = { 390: 844, 1280: 800, 1920: 1080 } as const;
const SCHEMES = ["light", "dark"] as const;
/** For charts that draw themselves. */
const SETTLE_MS = 700;
const LOADING_MS = 5000;

/** `$vault`, `$device`, `$run` and `$plan` are ids of one. `isUnlocked`: with the vault open in the tab; these come last. */
type Shot = Pick<Scene, "name" | "path" | "isUnlocked"> & {
  readonly act?: Scene["act"];
  readonly isSignedOut?: true;
};

const SHOTS: readonly Shot[] = [
  { name: "sign-in", path: "/", isSignedOut: true },
  { name: "trust", path: "/trust", isSignedOut: true },
  { name: "set-up", path: "/setup/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", isSignedOut: true },
  { name: "overview", path: "/" },
  { name: "devices", path: "/devices" },
  { name: "device", path: "/devices/$vault/$device" },
  { name: "files", path: "/files" },
  { name: "backup", path: "/backup" },
  { name: "runs", path: "/runs" },
  { name: "run", path: "/runs/$vault/$run" },
  { name: "server-log", path: "/runs/log" },
  { name: "vaults", path: "/vaults" },
  { name: "vault", path: "/vaults/$vault" },
  { name: "vault-keys", path: "/vaults/$vault/keys" },
  { name: "vault-retention", path: "/vaults/$vault/retention" },
  { name: "vault-care", path: "/vaults/$vault/care" },
  { name: "vault-snapshots", path: "/vaults/$vault/snapshots" },
  { name: "vault-log", path: "/vaults/$vault/log" },
  { name: "welcome", path: "/welcome" },
  { name: "settings-security", path: "/settings/security" },
  { name: "settings-keys", path: "/settings/keys" },
  { name: "settings-appearance", path: "/settings/appearance" },
  { name: "settings-notifications", path: "/settings/notifications" },
  { name: "settings-people", path: "/settings/people" },
  { name: "settings-invitations", path: "/settings/invitations" },
  { name: "settings-legacy", path: "/settings/legacy" },
  { name: "settings-audit", path: "/settings/audit" },
  { name: "settings-about", path: "/settings/about" },
  { name: "plan-locked", path: "/devices/$vault/$device/plans/$plan" },
  { name: "unlocked-device", path: "/devices/$vault/$device", isUnlocked: true },
  { name: "unlocked-plan", path: "/devices/$vault/$device/plans/$plan", isUnlocked: true },
  { name: "unlocked-new-plan", path: "/devices/$vault/$device/plans/new", isUnlocked: true },
  { name: "unlocked-run", path: "/runs/$vault/$run", isUnlocked: true },
  { name: "unlocked-files", path: "/files/$vault", isUnlocked: true },
  { name: "unlocked-vault-retention", path: "/vaults/$vault/retention", isUnlocked: true },
  ...SCENES,
];

requireNode();
const given = process.argv.slice(2);
const folder = resolve(given.find((each) => each.startsWith("--to="))?.slice(5) ?? join("dist", "screenshots"));
const words = given.filter((each) => !each.startsWith("--"));
const wanted = SHOTS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
mkdirSync(folder, { recursive: true });

await using furnished = await furnishedSite();
const { site, vaultId, deviceId, runId, planId, passphrase } = furnished;
const ids = { $vault: vaultId, $device: deviceId, $run: runId, $plan: planId };
const gateway = await gatewayBeside(furnished);
for (const scheme of SCHEMES) {
  for (const width of WIDTHS) {
    const look = { scheme, width, height: HEIGHTS[width] };
    await using out = await site.open(look);
    await using inside = await site.open({ ...look, as: { email: OWNER } });
    let hasUnlocked = false;
    for (const { name, path, act, isSignedOut, isUnlocked } of wanted) {
      const tab = isSignedOut ? out : inside;
      if (isUnlocked && !hasUnlocked) {
        hasUnlocked = true;
        await unlock(tab.page);
      }
      // So that no dialogue of the scene before stays open.
      if (act !== undefined) await tab.go("/settings/about");
      await tab.go(path.replace(/\$\w+/g, (id) => ids[id as keyof typeof ids]));
      await tab.page.waitForLoadState("load");
      await act?.(tab.page, furnished);
      await tab.page.waitForTimeout(SETTLE_MS);
      // What still loads after that is shown as it is.
      await tab.page
        .waitForFunction(() => !document.querySelector("[aria-busy=true], .mantine-Loader-root"), {
          timeout: LOADING_MS,
        })
        .catch(() => undefined);
      await tab.page.screenshot({ path: join(folder, `${name}-${width}-${scheme}.png`), fullPage: true });
    }
    console.log(`✔ ${scheme} ${width}`);
  }
}
await gateway.stop();
console.log(`${wanted.length} pages in ${folder}`);

/** For the whole tab. */
async function unlock(page: Page): Promise<void> {
  await page.goto(`${site.origin}/#/files/${vaultId}`);
  // Another page that was shown before may have a door too.
  await page.getByRole("heading", { name: "Files", level: 1 }).waitFor();
  await page.getByRole("textbox", { name: "Passphrase" }).fill(passphrase);
  await page.getByRole("button", { name: "Unlock", exact: true }).click();
  await page.getByRole("button", { name: "Lock", exact: true }).waitFor();
}
