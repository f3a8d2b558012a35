// node bench/web-backup.ts FOLDER: backs a folder up from a page in Chromium to a server in this process, over the network of this machine.
// Prints what it took as JSON: the time from the click to "Everything is safe", the peak of the tab's process, and the longest task of the
// page's own thread. Starting server and browser, enrolling and choosing come before that time. Nobody drives the tab meanwhile (free-tab.ts).
import { chooseFolder, enrolHere, startBackupSite } from "../tests/web/backup-site.ts";
import { openFreeTab } from "./free-tab.ts";

const [folder = ""] = process.argv.slice(2);
const site = await startBackupSite();
try {
  await using tab = await openFreeTab(site, "/backup");
  await enrolHere(tab.page);
  await chooseFolder(tab.page, folder);
  await tab.page.getByText(/^\d+ files?, /).waitFor();
  console.log(JSON.stringify(await tab.measure("Back up now", /Everything is safe/)));
} finally {
  await site[Symbol.asyncDispose]();
}
