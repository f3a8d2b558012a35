// A real server that serves the built page, and a real Chromium that looks at it. Whatever a browser complains of (an error on the
// console, a violation of the policy, a promise that nobody caught) fails the test that closes the tab.

import assert from "node:assert/strict";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchChromium } from "../browser/chromium.ts";
import { addOwner, OWNER, PASSWORD } from "../server/people-kit.ts";
import { type Rig, startRig } from "../server/rig.ts";
import { builtPage } from "./page-build.ts";

export { OWNER, PASSWORD };

export type Site = Rig & {
  readonly browser: Browser;
  /** `http://localhost:port`: a secure context. */
  readonly origin: string;
  open(options?: OpenOptions): Promise<Tab>;
};

export type OpenOptions = {
  /** Behind the `#`. */
  readonly path?: string;
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
  /** Signs in by the API before the page is opened; nobody by default. */
  readonly as?: { readonly email: string; readonly password?: string };
  /** A tab of the same browser profile as another one: it has its cookies and its storage. */
  readonly beside?: Tab;
};

export type Tab = {
  readonly page: Page;
  readonly context: BrowserContext;
  go(path: string): Promise<void>;
  /** What the browser has complained of so far; emptied, for complaints that a test expects. */
  complaints(): string[];
  /** Fails when there are complaints. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** `withOwner`: an owner's account is there (OWNER, PASSWORD); otherwise the server waits for its set-up link. */
export async function startSite({
  withOwner = true,
  ...options
}: Parameters<typeof startRig>[0] & { readonly withOwner?: boolean } = {}): Promise<Site> {
  await builtPage();
  const [rig, browser] = await Promise.all([
    startRig({ ...options, settings: { web: true, ...options.settings } }),
    launchChromium(),
  ]);
  if (withOwner) await addOwner(rig);
  const origin = `http://localhost:${rig.server.httpPort}`;
  const contexts = new Set<BrowserContext>();
  return {
    ...rig,
    browser,
    origin,
    async open(opened = {}) {
      const context = opened.beside?.context ?? (await newContext(browser, opened));
      contexts.add(context);
      if (opened.as !== undefined) await signInByApi(context, origin, opened.as);
      return openTab(context, origin, opened);
    },
    async [Symbol.asyncDispose]() {
      for (const context of contexts) await context.close().catch(() => undefined);
      await browser.close();
      await rig[Symbol.asyncDispose]();
    },
  };
}

function newContext(
  browser: Browser,
  { width = 1280, height = 800, scheme = "light" }: OpenOptions,
): Promise<BrowserContext> {
  return browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    serviceWorkers: "block",
    acceptDownloads: true,
  });
}

export async function signInByApi(
  context: BrowserContext,
  origin: string,
  { email, password = PASSWORD }: { readonly email: string; readonly password?: string },
): Promise<void> {
  const answer = await context.request.post(`${origin}/api/auth/sign-in/email`, {
    headers: { origin },
    data: { email, password },
  });
  assert.equal(answer.status(), 200, await answer.text());
}

async function openTab(context: BrowserContext, origin: string, { path = "/" }: OpenOptions): Promise<Tab> {
  const page = await context.newPage();
  let complaints: string[] = [];
  page.on("console", (message) => {
    // That a request was refused is the page's to show; Chromium puts each on the console as well.
    if (message.type() !== "error" || message.text().startsWith("Failed to load resource")) return;
    complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.stack ?? error.message}`));
  page.on("crash", () => complaints.push("the page crashed"));
  const go = async (to: string): Promise<void> => {
    await page.goto(`${origin}/#${to}`);
  };
  await go(path);
  return {
    page,
    context,
    go,
    complaints() {
      const found = complaints;
      complaints = [];
      return found;
    },
    async [Symbol.asyncDispose]() {
      await page.close();
      assert.deepEqual(complaints, [], "the browser complained");
    },
  };
}
