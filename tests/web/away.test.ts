// A server that goes away and comes back: the page says so, and goes on by itself.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { noChromium } from "../browser/chromium.ts";
import { startRig } from "../server/rig.ts";
import { OWNER, startSite } from "./rig.ts";

test("the page bears with a server that is away for a while", { skip: noChromium }, async () => {
  const data = mkdtempSync(join(tmpdir(), "cb-away-"));
  try {
    await using site = await startSite({ data });
    const { httpPort: port } = site.server;
    await using tab = await site.open({ as: { email: OWNER }, path: "/settings/about" });
    const { page } = tab;
    await using other = await site.open({ beside: tab, path: "/settings/about" });
    await page.locator("[data-state=live]").first().waitFor();
    await other.page.locator("[data-state=live]").first().waitFor();
    await site.server.stop();
    await page.getByText("The server does not answer. Trying again").waitFor();
    // A page that was not opened before cannot be had now.
    await other.page.getByRole("link", { name: "Vaults" }).click();
    await other.page.getByRole("heading", { name: "The server does not answer" }).waitFor();
    const listenHttp = { host: "127.0.0.1", port: port! };
    await using again = await startRig({ data, settings: { web: true, listenHttp } });
    await page.locator("[data-state=live]").first().waitFor();
    await page.getByText("The server is back.").waitFor();
    await page.getByText("The server does not answer. Trying again").waitFor({ state: "hidden" });
    await other.page.getByRole("heading", { name: "Vaults", level: 1 }).waitFor();
    // That a part did not come.
    other.complaints();
    void again;
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});
