// Signing in and out with the page as it is served.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { noChromium } from "../browser/chromium.ts";
import { CLIENT, FakeProvider, SECRET } from "../server/fake-provider.ts";
import { assertAccessible } from "./axe.ts";
import { OWNER, PASSWORD, type Site, startSite } from "./rig.ts";

describe("the page", { skip: noChromium }, () => {
  let site: Site;
  const provider = new FakeProvider();
  before(async () => {
    const { issuer } = await provider.start();
    const house = { id: "house", name: "House", issuer, clientId: CLIENT, clientSecret: SECRET, newcomers: null };
    site = await startSite({ settings: { oidc: [house] } });
  });
  after(async () => {
    await site?.[Symbol.asyncDispose]();
    await provider.stop();
  });

  for (const scheme of ["light", "dark"] as const) {
    test(`signs in, shows who is there, and signs out (${scheme})`, async () => {
      await using tab = await site.open({ scheme });
      const { page } = tab;
      await page.getByLabel("E-mail").fill(OWNER);
      await assertAccessible(page, "sign-in");
      await page.getByRole("textbox", { name: "Password" }).fill("wrong password");
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.getByRole("alert").waitFor();
      await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.locator("[data-state=live]").first().waitFor();
      await assertAccessible(page, "settings");
      await page.getByRole("button", { name: "Your account" }).click();
      await assertAccessible(page, "account menu");
      await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      assert.equal((await page.context().cookies()).filter(({ value }) => value !== "").length, 0);
    });
  }

  test("signs in by a provider and goes on where somebody was; who is unknown here is told so", async () => {
    await using tab = await site.open({ path: "/vaults" });
    const { page } = tab;
    provider.who = { sub: "eve", email: "eve@example.org", email_verified: true };
    await page.getByRole("button", { name: "Sign in with House" }).click();
    await page.getByRole("alert").getByText("There is no account here").waitFor();
    assert.equal(new URL(page.url()).search, "");
    provider.who = { sub: "olga", email: OWNER, email_verified: true };
    await page.getByRole("button", { name: "Sign in with House" }).click();
    await page.getByRole("heading", { name: "Vaults", level: 1 }).waitFor();
    assert.deepEqual([new URL(page.url()).search, new URL(page.url()).hash], ["", "#/vaults"]);
  });
});
