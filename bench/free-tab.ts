// A tab of Chromium that nobody looks into while it works. Whoever drives a tab listens to its network, and then Chromium keeps a copy of
// everything that is fetched: that takes more time than the fetching, and people have none of it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { launchOptions } from "../tests/browser/chromium.ts";
import { until } from "../tests/until.ts";
import { OWNER, type Site, type Tab } from "../tests/web/rig.ts";
import type { Measured } from "./measure.ts";
import { watchMemory } from "./tab.ts";

const LONGEST_MS = 600_000;
const START_MS = 60_000;
const LOOK_MS = 200;

export type FreeTab = {
  /** To be used before it is measured. */
  readonly page: Page;
  /** Clicks on a button of the page and lets go of the tab until one of the page's texts is there. Once. */
  measure(button: string, end: RegExp): Promise<Measured>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** In a Chromium and a profile of its own. */
export async function openFreeTab(site: Site, path: string): Promise<FreeTab> {
  const folder = mkdtempSync(join(tmpdir(), "cb-profile-"));
  const { executablePath, args, env } = await launchOptions();
  const more = [`--user-data-dir=${folder}`, "--remote-debugging-port=0", "--window-size=1280,800", "about:blank"];
  const child = spawn(executablePath, [...args, ...more], { env, stdio: "ignore" });
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const portFile = join(folder, "DevToolsActivePort");
    const isListening = () => existsSync(portFile) && readFileSync(portFile, "utf8").includes("\n");
    await until("Chromium listens", isListening, { longestMs: START_MS, pauseMs: LOOK_MS });
    const address = `http://127.0.0.1:${readFileSync(portFile, "utf8").split("\n")[0]}`;
    const driver = await chromium.connectOverCDP(address);
    const [context] = driver.contexts();
    const { page } = await site.open({ as: { email: OWNER }, path, beside: { context } as Tab });
    const measure: FreeTab["measure"] = async (button, end) => {
      const title = `end of ${Date.now()}`;
      await page.evaluate(clickAndWatch, { button, end: end.source, title });
      await driver.close();
      const memory = watchMemory();
      const isOver = async () => (await (await fetch(`${address}/json/list`)).text()).includes(title);
      await until("the page is done", isOver, { longestMs: LONGEST_MS, pauseMs: LOOK_MS });
      const peakBytes = memory.end();
      const { wallMs, tasks } = await watchedIn(address);
      console.error(`long tasks of the page in ms: ${tasks.join(", ") || "none"}`);
      return { wallMs, peakBytes, longestTaskMs: Math.max(0, ...tasks) };
    };
    return { page, measure, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Watched = { readonly wallMs: number; readonly tasks: readonly number[] };

/** In the page; the click comes when nobody drives it any more. Browsers tell of tasks from 50 ms on (Long Tasks API). */
function clickAndWatch({ button, end, title }: { button: string; end: string; title: string }): void {
  setTimeout(() => {
    const tasks: number[] = [];
    new PerformanceObserver((list) =>
      tasks.push(...list.getEntries().map(({ duration }) => Math.round(duration))),
    ).observe({ type: "longtask" });
    const startedAt = performance.now();
    const isOver = new RegExp(end);
    new MutationObserver((_, observer) => {
      if (!isOver.test(document.body.textContent)) return;
      observer.disconnect();
      Object.assign(window, { watched: { wallMs: performance.now() - startedAt, tasks } });
      document.title = title;
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
    Array.from(document.querySelectorAll("button"))
      .find(({ textContent }) => textContent.trim() === button)!
      .click();
  }, 1000);
}

async function watchedIn(address: string): Promise<Watched> {
  const driver = await chromium.connectOverCDP(address);
  const pages = driver.contexts()[0]!.pages();
  const found = await Promise.all(pages.map((page) => page.evaluate(() => (window as { watched?: Watched }).watched)));
  await driver.close();
  return found.find((watched) => watched !== undefined)!;
}
