// Watches a tab of Chromium while it works: most memory of the process that shows it and runs its workers, and the tasks of the page's own
// thread that took long. Chromium must descend from this process.
import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { Page } from "playwright-core";
import type { Measured } from "./measure.ts";

const LOOK_MS = 100;
const FIND_MS = 1000;

/** What a person waits for, from its beginning to its end. */
export async function measureTab(page: Page, work: () => Promise<void>): Promise<Measured> {
  await page.evaluate(watchTasks);
  const memory = watchMemory();
  try {
    const startedAt = performance.now();
    await work();
    const wallMs = performance.now() - startedAt;
    const tasks = await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks);
    console.error(`long tasks of the page in ms: ${tasks.join(", ") || "none"}`);
    return { wallMs, peakBytes: memory.end(), longestTaskMs: Math.max(0, ...tasks) };
  } finally {
    memory.end();
  }
}

/** The peak of the largest renderer until `end`. */
export function watchMemory(): { end(): number } {
  let peakBytes = 0;
  let pids: readonly number[] = [];
  // The looking takes time from what is looked at, and most of it goes into finding the processes.
  const finding = setInterval(() => {
    pids = renderers();
  }, FIND_MS);
  const looking = setInterval(() => {
    for (const pid of pids) peakBytes = Math.max(peakBytes, residentBytes(pid));
  }, LOOK_MS);
  return {
    end() {
      clearInterval(finding);
      clearInterval(looking);
      return peakBytes;
    },
  };
}

/** In the page. Browsers tell of tasks from 50 ms on (Long Tasks API). */
function watchTasks(): void {
  const tasks: number[] = [];
  Object.assign(window, { longTasks: tasks });
  const observer = new PerformanceObserver((list) =>
    tasks.push(...list.getEntries().map(({ duration }) => Math.round(duration))),
  );
  observer.observe({ type: "longtask" });
}

/** Resident memory of the largest process of a Chromium that shows pages and descends from this process. */
export function largestRenderer(): number {
  return Math.max(0, ...renderers().map(residentBytes));
}

function renderers(): number[] {
  return descendants(process.pid).filter((pid) => readOf(pid, "cmdline").includes("--type=renderer"));
}

function residentBytes(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+)/m.exec(readOf(pid, "status")) ?? [];
  return Number(kib) * 1024;
}

/** Nothing once it has ended. */
function readOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
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
