// A folder of a hundred thousand entries in the page Files (a million: bench, web-million): any part of it is reached, searched and sorted,
// and only the rows in sight exist.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { noChromium } from "../browser/chromium.ts";
import { type BackupSite, PASSPHRASE, startBackupSite } from "./backup-site.ts";
import { backUpEntries, nameOf } from "./many-entries.ts";
import { OWNER } from "./rig.ts";

const COUNT = 100_000;
const ROWS_MAX = 100;

describe("a folder of many entries", { skip: noChromium }, () => {
  let site: BackupSite;
  before(async () => {
    site = await startBackupSite();
    await backUpEntries(site, COUNT);
  });
  after(() => site?.[Symbol.asyncDispose]());

  test("is listed, scrolled to its end, sorted and searched with the rows in sight only", async () => {
    await using tab = await site.open({ as: { email: OWNER }, path: "/files", width: 1280, height: 900 });
    const { page } = tab;
    await page.locator("input[type=password]").fill(PASSPHRASE);
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.getByTitle("many", { exact: true }).click();
    await page.getByText("100,000 entries").waitFor();
    await seen(page, 0);
    const grid = page.getByRole("treegrid");
    await grid.focus();
    await page.keyboard.press("End");
    await seen(page, COUNT - 1);
    await assertFewRows(page);
    await grid.evaluate((element) => {
      element.scrollTop = (element.scrollHeight - element.clientHeight) / 2;
    });
    await page.getByTitle(nameOf(0), { exact: true }).waitFor({ state: "detached" });
    await page
      .getByTitle(/^file 00(49|50)\d{3}\.txt$/)
      .first()
      .waitFor();
    await assertFewRows(page);

    await page.getByRole("button", { name: "Sort by Modified" }).click();
    await grid.focus();
    await page.keyboard.press("Home");
    await seen(page, COUNT - 1);

    await page.getByLabel("Search by name").fill("file 00777??.txt");
    await page.getByText("100 found").waitFor();
    await seen(page, 77_700);
    await page.getByLabel("Search by name").fill("file");
    await page.getByText("100,000 found").waitFor();
    await assertFewRows(page);
  });
});

async function seen(page: Page, number: number): Promise<void> {
  await page.getByTitle(nameOf(number), { exact: true }).waitFor();
}

async function assertFewRows(page: Page): Promise<void> {
  const rows = await page.getByRole("row").count();
  assert.ok(rows > 5 && rows < ROWS_MAX, `${rows} rows exist`);
}
