// Passkeys in a real browser, whose own software authenticator keeps them: made in the settings, renamed, signed in by, taken off.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { noChromium } from "../browser/chromium.ts";
import { assertAccessible } from "./axe.ts";
import { OWNER, PASSWORD, type Site, startSite } from "./rig.ts";
import { addVirtualAuthenticator } from "./virtual-authenticator.ts";

const SETTINGS = "/settings/security";

describe("a passkey for signing in", { skip: noChromium }, () => {
  let site: Site;
  before(async () => {
    site = await startSite();
  });
  after(() => site?.[Symbol.asyncDispose]());

  test("is made with the password, signs in without, and is taken off", async () => {
    await using tab = await site.open({ path: SETTINGS, as: { email: OWNER } });
    const { page } = tab;
    await addVirtualAuthenticator(page);
    const make = async (name: string, password: string) => {
      await page.getByLabel("What to call it").fill(name);
      await page.getByRole("textbox", { name: "Your password" }).fill(password);
      await page.getByRole("button", { name: "Make the passkey" }).click();
    };
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await make("key ring", "wrong password");
    await page.getByRole("alert").waitFor();
    await make("key ring", PASSWORD);
    await page.getByText("The passkey signs you in from now on.").waitFor();
    await page.getByRole("button", { name: "Rename: key ring" }).click();
    await page.getByLabel("What to call it").fill("blue key");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("blue key", { exact: true }).waitFor();
    await assertAccessible(page, "passkeys");

    await page.getByRole("button", { name: "Your account" }).click();
    await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("button", { name: "Remove: blue key" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("The passkey is taken off.").waitFor();

    await page.getByRole("button", { name: "Your account" }).click();
    await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByText("The server does not accept the login.").waitFor();
  });

  test("cannot be made where the page was opened by an address, and the page says so", async () => {
    await using tab = await site.open();
    const { page, context } = tab;
    const origin = site.origin.replace("localhost", "127.0.0.1");
    const data = { email: OWNER, password: PASSWORD };
    const answer = await context.request.post(`${origin}/api/auth/sign-in/email`, { headers: { origin }, data });
    assert.equal(answer.status(), 200);
    await page.goto(`${origin}/#${SETTINGS}`);
    await page.getByText("opened by an address (127.0.0.1)").waitFor();
    assert.equal(await page.getByRole("button", { name: "Add a passkey" }).count(), 0);
  });
});
