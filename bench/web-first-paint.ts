// node bench/web-first-paint.ts: opens the overview of a server with devices, runs and a past in a browser that knows nothing of it yet.
// Prints as JSON how long it took from the address to the overview's sentence on the screen. Starting server and browser, and signing in,
// come before that time.
import { furnishedSite } from "../tests/web/furnished.ts";
import { OWNER, signInByApi } from "../tests/web/rig.ts";
import { largestRenderer } from "./tab.ts";

/** Where the sentence does not come, that is an error and no endless wait. */
const PATIENCE_MS = 60_000;
const SENTENCE = "section[data-state] [role=status]";

const furnished = await furnishedSite();
try {
  const { site } = furnished;
  {
    // Whatever the browser and the server do once only; what is measured has a profile of its own, with nothing in its cache.
    await using first = await site.open({ as: { email: OWNER }, path: "/" });
    await first.page.locator(SENTENCE).waitFor();
  }
  const context = await site.browser.newContext();
  await signInByApi(context, site.origin, { email: OWNER });
  const page = await context.newPage();
  await page.addInitScript(noteSentence, SENTENCE);
  await page.goto(`${site.origin}/#/`);
  const noted = await page.waitForFunction(whenNoted, undefined, { timeout: PATIENCE_MS });
  const wallMs = (await noted.jsonValue()) as number;
  console.error(`requests: ${await page.evaluate(requestsOf)}`);
  console.log(JSON.stringify({ wallMs, peakBytes: largestRenderer() }));
} finally {
  await furnished[Symbol.asyncDispose]();
}

/** In the page, before anything of it: notes when the frame was drawn in which the element is there. */
function noteSentence(selector: string): void {
  const look = (): void => {
    if (!document.querySelector(selector)) return void requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => Object.assign(window, { sentenceMs: performance.now() })));
  };
  requestAnimationFrame(look);
}

/** In the page. */
function whenNoted(): number | undefined {
  return (window as unknown as { sentenceMs?: number }).sentenceMs;
}

/** In the page: what it asked for, with when it began and ended in milliseconds. */
function requestsOf(): string {
  const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  return entries
    .map((e) => `${e.name.split("/").at(-1)} ${Math.round(e.startTime)}-${Math.round(e.responseEnd)}`)
    .join(", ");
}
