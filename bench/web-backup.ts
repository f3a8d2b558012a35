// node bench/web-backup.ts FOLDER: backs a folder up from a page in Chromium to a server in this process, over the network of this machine.
// Prints what it took as JSON: the time from the click to "Everything is safe", and the peak of the browser's largest process, which is the
// tab's. Starting server and browser, enrolling and choosing come before that time. Long tasks of the page's own thread go to stderr.
import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { chooseFolder, endOfBackup, enrolHere, startBackup, startBackupSite } from "../tests/web/backup-site.ts";
import { OWNER } from "../tests/web/rig.ts";

const LONGEST_MS = 600_000;
const LOOK_MS = 100;

const [folder = ""] = process.argv.slice(2);
const site = await startBackupSite();
let peakBytes = 0;
try {
  await using tab = await site.open({ as: { email: OWNER }, path: "/backup" });
  const { page } = tab;
  await enrolHere(page);
  await chooseFolder(page, folder);
  await page.getByText(/^\d+ files?, /).waitFor();
  await page.evaluate(() => {
    const tasks: number[] = [];
    Object.assign(window, { longTasks: tasks });
    new PerformanceObserver((list) =>
      tasks.push(...list.getEntries().map(({ duration }) => Math.round(duration))),
    ).observe({
      type: "longtask",
    });
  });
  const looking = setInterval(() => {
    peakBytes = Math.max(peakBytes, largestRenderer());
  }, LOOK_MS);
  const startedAt = performance.now();
  await startBackup(page);
  await endOfBackup(page, LONGEST_MS);
  const wallMs = performance.now() - startedAt;
  clearInterval(looking);
  const tasks = await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks);
  console.error(`long tasks of the page in ms: ${tasks.join(", ") || "none"}`);
  console.log(JSON.stringify({ wallMs, peakBytes }));
} finally {
  await site[Symbol.asyncDispose]();
}

/** Resident memory of the largest process of a Chromium that shows pages and descends from this process. */
function largestRenderer(): number {
  let largest = 0;
  for (const pid of descendants(process.pid)) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("--type=renderer")) continue;
      const [, kib = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
      largest = Math.max(largest, Number(kib) * 1024);
    } catch {
      // It has ended.
    }
  }
  return largest;
}

function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      parents.set(Number(name), Number(readFileSync(`/proc/${name}/stat`, "latin1").split(") ").at(-1)!.split(" ")[1]));
    } catch {
      // It has ended.
    }
  }
  const found = new Set([pid]);
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const [child, parent] of parents) if (found.has(parent)) found.add(child);
  }
  return [...found];
}
