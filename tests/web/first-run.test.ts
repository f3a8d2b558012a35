// From the set-up link to the first backups: an owner's account, a vault whose keys the browser makes, a machine that joins by the line
// that the page shows, and that brings back what the browser has backed up: with the passphrase, and with the recovery key alone.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { noChromium } from "../browser/chromium.ts";
import { cli, newPlace } from "../cli/run-cli.ts";
import { chooseFolder, endOfBackup, hashesBelow, startBackup } from "./backup-site.ts";
import { OWNER, PASSWORD, startSite } from "./rig.ts";

const PASSPHRASE = "violet harbour seventeen kettles";

test("first run, from the set-up link to the first backup of a machine", { skip: noChromium }, async () => {
  await using site = await startSite({ withOwner: false, settings: { listen: { host: "127.0.0.1", port: 0 } } });
  await using tab = await site.open();
  const { page } = tab;
  await page.getByText("Nobody owns this server yet").waitFor();
  const path = site.server.setupPath()!;
  await page.goto(site.origin + path);
  await page.getByLabel("Your name").fill("Olga");
  await page.getByLabel("E-mail").fill(OWNER);
  await page.getByRole("textbox", { name: "Password", exact: true }).fill(PASSWORD);
  await page.getByRole("textbox", { name: "Password again" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Make the account" }).click();

  await page.getByRole("heading", { level: 1 }).filter({ hasText: "backups safe" }).waitFor();
  await page.getByLabel("What to call it").fill("home");
  await page.getByRole("textbox", { name: "Passphrase", exact: true }).fill("password1");
  await page.getByRole("textbox", { name: "Passphrase again" }).fill("password1");
  await page.getByText("Too easy to guess for").waitFor();
  assert.ok(await page.getByRole("button", { name: "Make the keys" }).isDisabled());
  await page.getByRole("textbox", { name: "Passphrase", exact: true }).fill(PASSPHRASE);
  await page.getByRole("textbox", { name: "Passphrase again" }).fill(PASSPHRASE);
  await page.getByRole("button", { name: "Make the keys" }).click();

  const groups = page.getByRole("list", { name: "Recovery key" }).locator("code");
  await groups.first().waitFor({ timeout: 60_000 });
  assert.ok(await page.getByRole("button", { name: "Make the vault" }).isDisabled());
  const recoveryKey = await groups.allTextContents();
  await typeGroupsBack(page, recoveryKey);
  await page.getByRole("button", { name: "Make the vault" }).click();

  const line = page.getByText(/^cyberbackup enroll cb4-/);
  await line.waitFor();
  const place = { ...newPlace(), vault: `https://localhost:${site.server.port}/home` };
  try {
    const [, , code] = (await line.textContent())!.split(" ");
    await cli(place, ["enroll", code!, "--name", "study"]);
    await page.getByText("study is a device of your vault").waitFor();
    const file = join(place.folder, "letter.txt");
    writeFileSync(file, "Dear reader\n");
    await cli(place, ["backup", file]);
    await page.goto(`${site.origin}/#/vaults`);
    await page.getByRole("link", { name: "home" }).click();
    await page.getByRole("tab", { name: "Snapshots" }).click();
    await page.getByRole("row").filter({ hasText: "study" }).waitFor();

    const photos = join(place.folder, "photos");
    mkdirSync(join(photos, "2026"), { recursive: true });
    for (const name of ["a.jpg", "b.jpg", "2026/c.jpg"]) writeFileSync(join(photos, name), randomBytes(70_000));
    await page.goto(`${site.origin}/#/backup`);
    await chooseFolder(page, photos);
    await page.getByText("3 files").first().waitFor();
    await startBackup(page);
    await endOfBackup(page);
    const keys = { "--passphrase-file": PASSPHRASE, "--identity-file": recoveryKey.join("") };
    for (const [option, key] of Object.entries(keys)) {
      const keyFile = join(place.folder, "key");
      writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
      const target = join(place.folder, `restored by ${option}`);
      await cli(place, ["restore", "latest", option, keyFile, "--target", target]);
      assert.deepEqual(hashesBelow(join(target, "photos")), hashesBelow(photos));
    }
  } finally {
    place.remove();
  }

  await page.goto(site.origin + path);
  await page.getByRole("textbox", { name: "Password", exact: true }).fill(PASSWORD);
  await page.getByRole("textbox", { name: "Password again" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByRole("alert").waitFor();
});

async function typeGroupsBack(page: Page, groups: readonly string[]): Promise<void> {
  for (const input of await page.getByLabel(/^Group \d+$/).all()) {
    const id = await input.getAttribute("id");
    const label = await page.locator(`label[for="${id}"]`).textContent();
    await input.fill(groups[Number(/\d+/.exec(label ?? "")![0]) - 1]!);
  }
}
