// node bench/web-million.ts: a folder of a million entries in the page Files of a Chromium. Prints as JSON what it took to open, scroll
// through, sort and search it: the time, the peak of the tab's process, and the longest task of the page's own thread. The vault is made
// before, with real trees.
import { PASSPHRASE, startBackupSite } from "../tests/web/backup-site.ts";
import { backUpEntries, nameOf } from "../tests/web/many-entries.ts";
import { OWNER } from "../tests/web/rig.ts";
import { measureTab } from "./tab.ts";

const COUNT = 1_000_000;
const STEPS = 60;
const LONGEST_MS = 300_000;

const site = await startBackupSite();
try {
  await backUpEntries(site, COUNT);
  await using tab = await site.open({ as: { email: OWNER }, path: "/files" });
  const { page } = tab;
  page.setDefaultTimeout(LONGEST_MS);
  const row = (number: number) => page.getByTitle(nameOf(number), { exact: true }).waitFor();
  await page.locator("input[type=password]").fill(PASSPHRASE);
  await page.getByRole("button", { name: "Unlock" }).click();
  await page.getByTitle("many", { exact: true }).waitFor();
  const measured = await measureTab(page, async () => {
    await page.getByTitle("many", { exact: true }).click();
    await page.getByText("1,000,000 entries").waitFor();
    const grid = page.getByRole("treegrid");
    await grid.focus();
    await page.keyboard.press("End");
    await row(COUNT - 1);
    await page.keyboard.press("Home");
    await row(0);
    await grid.evaluate(scrollThrough, STEPS);
    await row(COUNT - 1);
    await page.getByRole("button", { name: "Sort by Modified" }).click();
    await grid.focus();
    await page.keyboard.press("Home");
    await row(COUNT - 1);
    await page.getByLabel("Search by name").fill("file 0777???.txt");
    await page.getByText("1,000 found").waitFor();
    await row(777_000);
  });
  console.log(JSON.stringify(measured));
} finally {
  await site[Symbol.asyncDispose]();
}

/** In the page: from the top to the end, a step a frame. */
async function scrollThrough(grid: Element, steps: number): Promise<void> {
  for (let step = 0; step <= steps; step++) {
    grid.scrollTop = ((grid.scrollHeight - grid.clientHeight) * step) / steps;
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  }
}
