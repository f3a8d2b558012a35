// Runs the tests of the isomorphic rooms, the same files that Node runs, in Chromium: one page a file, one subtest here
// for each test there. `*.node.test.ts` files are left out. One file alone: npm test -- tests/browser, with
// BROWSER_TESTS=chunker (part of a path) in the environment.

import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { bundleTest } from "./bundle.ts";
import { launchChromium, noChromium } from "./chromium.ts";
import { PageServer } from "./page-server.ts";
import type { TestReport } from "./test-shim.ts";

const FILES = [
  "src/{core,crypto,wire,engine}/**/*.test.ts",
  "tests/{platform,vectors,mutate,isomorphic-backup,big-files}.test.ts",
];
const PAGE_MS = 120_000;

const root = fileURLToPath(new URL("../..", import.meta.url));
const files = globSync(FILES, { cwd: root })
  .filter((file) => !file.endsWith(".node.test.ts") && file.includes(process.env.BROWSER_TESTS ?? ""))
  .sort();

describe("in Chromium", { skip: noChromium }, () => {
  let browser: Browser;
  let server: PageServer;
  before(async () => {
    [browser, server] = await Promise.all([launchChromium(), PageServer.start()]);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  for (const file of files) {
    test(file, async (context) => {
      const reports = await runPage(browser, server, await bundleTest({ file }));
      assert.ok(reports.length > 0, "no test ran");
      for (const { path, outcome, problem } of reports) {
        await context.test(path.join(" › "), { skip: outcome === "skipped" }, () => {
          if (outcome === "failed") throw new Error(problem);
        });
      }
    });
  }

  test("the page is a secure context, isolated from other origins, where eval is refused", async () => {
    const source = `
      import assert from "node:assert/strict";
      import { test } from "node:test";
      test("page", () => {
        assert.ok(isSecureContext && crossOriginIsolated && crypto.subtle !== undefined);
        assert.equal(typeof process + typeof Buffer, "undefinedundefined");
        assert.throws(() => (0, eval)("1"), EvalError);
      });`;
    const reports = await runPage(browser, server, await bundleTest({ source }));
    assert.deepEqual(reports, [{ path: ["page"], outcome: "passed" }]);
  });

  test("what fails there fails here", async () => {
    const source = `
      import assert from "node:assert/strict";
      import { describe, it, test, afterEach } from "node:test";
      test("passes", () => assert.equal(1, 1));
      test("fails", () => assert.equal(1, 2));
      test("fails late", async () => { await null; assert.deepEqual([1], [2]); });
      test.skip("is skipped", () => assert.fail());
      test("has a subtest", async (t) => { t.test("inner", () => assert.fail("why")); });
      test("takes too long", { timeout: 20 }, () => new Promise(() => {}));
      describe("suite", () => {
        it("passes", () => {});
        describe("inner suite", () => { afterEach(() => { throw new Error("hook"); }); it("passes", () => {}); });
      });`;
    const reports = await runPage(browser, server, await bundleTest({ source }));
    assert.deepEqual(
      reports.map(({ path, outcome }) => `${path.join(" › ")}: ${outcome}`),
      [
        "passes: passed",
        "fails: failed",
        "fails late: failed",
        "is skipped: skipped",
        "has a subtest › inner: failed",
        "has a subtest: failed",
        "takes too long: failed",
        "suite › passes: passed",
        "suite › inner suite › passes: failed",
      ],
    );
    assert.match(reports[1]?.problem ?? "", /1 is not 2/);
    assert.match(reports[4]?.problem ?? "", /why/);
  });

  test("a script that throws while it is loaded, a page that never ends and Node's modules are failures", async () => {
    await assert.rejects(
      async () => runPage(browser, server, await bundleTest({ source: `throw new Error("at once");` })),
      /at once/,
    );
    const endless = await bundleTest({
      source: `import { test } from "node:test"; test("endless", () => { for (;;); });`,
    });
    // Long enough for a slow machine to have come to the test at all.
    await assert.rejects(runPage(browser, server, endless, 8000), /running endless/);
    await assert.rejects(bundleTest({ source: `import "node:fs";` }), /Could not resolve "node:fs"/);
  });
});

/** Runs a script in a page of its own; throws when it does not report in time. */
async function runPage(
  browser: Browser,
  server: PageServer,
  script: string,
  timeoutMs = PAGE_MS,
): Promise<readonly TestReport[]> {
  const { url, report } = server.add(script);
  const context = await browser.newContext();
  let timer: NodeJS.Timeout | undefined;
  let lastWords = "nothing";
  try {
    const page = await context.newPage();
    page.on("console", (message) => {
      lastWords = message.text();
    });
    const broken = new Promise<never>((_, reject) => {
      page.on("pageerror", reject);
      page.on("crash", () => reject(new Error(`the page crashed; it said last: ${lastWords}`)));
      timer = setTimeout(
        () => reject(new Error(`no report after ${timeoutMs} ms; it said last: ${lastWords}`)),
        timeoutMs,
      );
    });
    const [, reports] = await Promise.race([
      Promise.all([page.goto(url, { waitUntil: "commit", timeout: timeoutMs }), report]),
      broken,
    ]);
    return reports;
  } finally {
    clearTimeout(timer);
    await context.close();
  }
}
