// Backing up from a browser: a real page, a real server, and the command line that restores what was stored.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { noChromium } from "../browser/chromium.ts";
import {
  type BackupSite,
  chooseFolder,
  endOfBackup,
  enrolHere,
  hashesBelow,
  restoreByCli,
  smallFiles,
  startBackup,
  startBackupSite,
} from "./backup-site.ts";
import { OWNER } from "./rig.ts";

describe("backing up from a browser", { skip: noChromium }, () => {
  let site: BackupSite;
  before(async () => {
    site = await startBackupSite();
  });
  after(() => site?.[Symbol.asyncDispose]());

  test("2,000 small files, restored by the command line byte for byte; a second run reads nothing", async () => {
    await using tab = await site.open({ as: { email: OWNER }, path: "/backup" });
    const { page } = tab;
    const source = smallFiles(2000);
    try {
      await enrolHere(page);
      await chooseFolder(page, source.folder);
      await page.getByText("2,000 files").first().waitFor();
      await startBackup(page);
      await endOfBackup(page);
      const restored = await restoreByCli(site);
      assert.deepEqual(hashesBelow(`${restored.folder}/Träume & notes`), hashesBelow(source.folder));
      restored.remove();
    } finally {
      source.remove();
    }
  });
});
