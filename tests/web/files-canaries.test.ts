// Zero knowledge of a whole session: every byte between the tab and the server, while a vault is unlocked in every way, looked through,
// searched and restored, is written down and searched for what the server must never learn.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { noChromium } from "../browser/chromium.ts";
import { type RecordingProxy, startRecordingProxy } from "./recording-proxy.ts";
import { OWNER, PASSWORD } from "./rig.ts";
import { PASSPHRASE, startVaultSite, type VaultSite } from "./vault-site.ts";

const NAME = "canary-name-7f3a";
const FOLDER = "canary-folder-91bc";
const CONTENT = "canary content 5d20 that nobody but its owner reads";

describe("what the server hears of a session", { skip: noChromium }, () => {
  let vault: VaultSite;
  let proxy: RecordingProxy;
  before(async () => {
    vault = await startVaultSite();
    proxy = await startRecordingProxy();
    const folder = join(vault.place.folder, FOLDER);
    mkdirSync(folder);
    writeFileSync(join(folder, `${NAME}.txt`), `${CONTENT}\n`.repeat(20));
    await vault.backup(folder);
    writeFileSync(join(folder, `${NAME}-2.txt`), CONTENT);
    await vault.backup(folder);
  });
  after(async () => {
    await proxy?.close();
    await vault?.[Symbol.asyncDispose]();
  });

  test("no name, no content, no passphrase and no key is in it", async () => {
    const { browser, origin } = vault.site;
    const context = await browser.newContext({ proxy: { server: proxy.address, bypass: "<-loopback>" } });
    const page = await context.newPage();
    await page.goto(`${origin}/#/files`);
    await page.getByLabel("E-mail").fill(OWNER);
    await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();

    await page.getByText("Recovery key", { exact: true }).click();
    await page.getByRole("textbox", { name: "Recovery key" }).fill(vault.recoveryKey);
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.getByRole("row").first().waitFor();
    await page.getByRole("button", { name: "Lock", exact: true }).click();
    await page.locator("input[type=password]").fill(PASSPHRASE);
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.getByTitle(FOLDER, { exact: true }).click();
    await page.getByText("Log verified").waitFor();

    await page.evaluate(async () => {
      const target = await (await navigator.storage.getDirectory()).getDirectoryHandle("target", { create: true });
      Object.assign(window, { showDirectoryPicker: async () => target });
    });
    await page.getByRole("button", { name: "Restore to a folder…" }).click();
    await page.getByRole("button", { name: "Choose the folder…" }).click();
    await page.getByText("Written and read again").waitFor();
    await page.getByRole("searchbox").fill(NAME);
    await page.getByTitle(`${NAME}.txt`, { exact: true }).click();
    await page.getByRole("dialog").getByText(CONTENT).first().waitFor();
    await page.getByRole("dialog").getByText("the same in 1 later snapshot").waitFor();
    await context.close();

    const heard = Buffer.concat(proxy.parts);
    // It is the session that was written down: these the server does hear.
    for (const said of [OWNER, "/blocks", "/locate", "/keyslots/"]) assert.ok(heard.includes(said), said);
    for (const canary of [NAME, FOLDER, CONTENT, PASSPHRASE, vault.recoveryKey]) {
      for (const form of [
        canary,
        encodeURIComponent(canary),
        btoa(canary).slice(0, -4),
        Buffer.from(canary).toString("hex"),
      ]) {
        assert.ok(!heard.includes(form), `the server heard ${canary.slice(0, 12)}…`);
      }
    }
  });
});
