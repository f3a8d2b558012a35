// node bench/web-restore.ts FOLDER: backs a folder up from a page in Chromium and restores it from the page Files into a folder, both over the
// network of this machine. Prints what the restore took as JSON (web-backup.ts): from the click to "Written and read again". No program can
// answer the browser's dialogue, so the folder is one of the page's own storage; it is written to as a chosen one is.
import {
  chooseFolder,
  endOfBackup,
  enrolHere,
  openWithProfile,
  PASSPHRASE,
  startBackup,
  startBackupSite,
} from "../tests/web/backup-site.ts";
import { openFreeTab } from "./free-tab.ts";
import { settle } from "./settle.ts";

const LONGEST_MS = 600_000;
/** The backup keeps all cores busy. */
const AFTER_BACKUP_SECONDS = 20;

const [folder = ""] = process.argv.slice(2);
const site = await startBackupSite();
try {
  {
    await using tab = await openWithProfile(site, "/backup");
    const { page } = tab;
    await enrolHere(page);
    await chooseFolder(page, folder);
    await page.getByText(/^\d+ files?, /).waitFor();
    await startBackup(page);
    await endOfBackup(page, LONGEST_MS);
  }
  await using tab = await openFreeTab(site, "/files");
  const { page } = tab;
  await page.locator("input[type=password]").fill(PASSPHRASE);
  await page.getByRole("button", { name: "Unlock" }).click();
  await page.getByRole("treegrid").waitFor();
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const target = await root.getDirectoryHandle("target", { create: true });
    Object.assign(window, { showDirectoryPicker: async () => target });
  });
  await settle(AFTER_BACKUP_SECONDS);
  await page.getByRole("button", { name: "Restore to a folder…" }).click();
  await page.getByRole("button", { name: "Choose the folder…" }).waitFor();
  console.log(JSON.stringify(await tab.measure("Choose the folder…", /Written and read again/)));
} finally {
  await site[Symbol.asyncDispose]();
}
