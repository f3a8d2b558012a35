// The page served apart from its server: one origin for the browser, the pinned server behind it.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { JsonDocument } from "../../src/cli/json-schema.ts";
import { launchChromium, noChromium } from "../browser/chromium.ts";
import { firstLine } from "../child.ts";
import { documentsIn, ended, newPlace, start } from "../cli/run-cli.ts";
import { addOwner, OWNER, PASSWORD } from "../server/people-kit.ts";
import { type Rig, startRig } from "../server/rig.ts";
import { builtPage } from "./page-build.ts";

type Started = Extract<JsonDocument, { type: "started"; command: "web" }>;

describe("web", { skip: noChromium }, () => {
  let rig: Rig;
  const place = newPlace();
  before(async () => {
    await builtPage();
    rig = await startRig({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
    await addOwner(rig);
  });
  after(async () => {
    await rig?.[Symbol.asyncDispose]();
    place.remove();
  });

  const serving = async (pin: string): Promise<{ child: ChildProcess; port: number }> => {
    const server = `https://127.0.0.1:${rig.server.port}`;
    const args = ["web", "--server", server, "--server-pin", pin, "--listen", "127.0.0.1:0", "--json"];
    const child = start(place, args);
    const line = await firstLine(child);
    return { child, port: (documentsIn(line, "web")[0] as Started).port };
  };

  test("signs in, hears events, and gives away nothing to another site", async () => {
    const { child, port } = await serving(rig.server.kit.identity().pin!);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(error.message));
      await page.goto(`http://localhost:${port}/`);
      await page.getByLabel("E-mail").fill(OWNER);
      await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.locator("[data-state=live]").first().waitFor();
      assert.deepEqual(problems, []);
      const own = await page.evaluate(async () => (await fetch("/health/live")).headers.get("x-cyberbackup-origin"));
      assert.equal(own, `https://127.0.0.1:${rig.server.port}`);
      const foreign = await fetch(`http://127.0.0.1:${port}/api/auth/sign-out`, {
        method: "POST",
        headers: { origin: "https://evil.example" },
      });
      assert.equal(foreign.status, 403);
    } finally {
      await browser.close();
      child.kill("SIGTERM");
    }
    assert.equal((await ended(child)).exit, 0);
  });

  test("sends nothing to a server that is not the pinned one", async () => {
    const { child, port } = await serving("00".repeat(32));
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/health/live`);
      assert.equal(((await answer.json()) as { code: string }).code, "server_untrusted");
    } finally {
      child.kill("SIGTERM");
    }
    await ended(child);
  });
});
