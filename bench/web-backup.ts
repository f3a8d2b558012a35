// node bench/web-backup.ts FOLDER: backs a folder up from a page in Chromium to a server in this process, over the network of this machine.
// Prints what it took as JSON: the time from the click to "Everything is safe", the peak of the tab's process, and the longest task of the
// page's own thread. Starting server and browser, enrolling and choosing come before that time.
import { chooseFolder, endOfBackup, enrolHere, startBackup, startBackupSite } from "../tests/web/backup-site.ts";
import { OWNER } from "../tests/web/rig.ts";
import { measureTab } from "./tab.ts";

const LONGEST_MS = 600_000;

const [folder = ""] = process.argv.slice(2);
const site = await startBackupSite();
try {
  await using tab = await site.open({ as: { email: OWNER }, path: "/backup" });
  const { page } = tab;
  await enrolHere(page);
  await chooseFolder(page, folder);
  await page.getByText(/^\d+ files?, /).waitFor();
  const measured = await measureTab(page, async () => {
    await startBackup(page);
    await endOfBackup(page, LONGEST_MS);
  });
  console.log(JSON.stringify(measured));
} finally {
  await site[Symbol.asyncDispose]();
}
