// Settings in a real browser: passkeys, which its own software authenticator keeps, and clients of a gateway for CyberBackup 3.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gatewayView } from "../../src/cli/gateway-view.ts";
import type { VaultId } from "../../src/core/ids.ts";
import { noChromium } from "../browser/chromium.ts";
import { startRig as startGatewayRig } from "../v3/peer.ts";
import { assertAccessible } from "./axe.ts";
import { OWNER, PASSWORD, type Site, startSite } from "./rig.ts";
import { addVirtualAuthenticator } from "./virtual-authenticator.ts";

const SETTINGS = "/settings/security";

describe("settings", { skip: noChromium }, () => {
  let site: Site;
  before(async () => {
    site = await startSite();
  });
  after(() => site?.[Symbol.asyncDispose]());

  test("a passkey is made with the password, signs in without, and is taken off", async () => {
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

  test("a passkey cannot be made where the page was opened by an address, and the page says so", async () => {
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

  test("a client of the gateway is shown with what its protocol lacks, gets a last day, and is forgotten", async () => {
    const old = await startGatewayRig();
    try {
      const peer = await old.peer();
      await peer.enter("front desk");
      await peer.upload("ledger.txt", new Uint8Array(1000));
      const vault = "0".repeat(32) as VaultId;
      site.server.kit.gateway.view = gatewayView(old.gateway, { allowName: ["front desk"] }, vault);
      await using tab = await site.open({ path: "/settings/legacy", as: { email: OWNER } });
      const { page } = tab;
      await page.getByText("What protocol 3 does not protect").waitFor();
      await page.getByText("Some clients have no last day.").waitFor();
      await assertAccessible(page, "clients of the gateway");
      await page.getByRole("button", { name: "Last day: front desk" }).click();
      await page.getByLabel("Refused from").fill("2020-01-31");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Retired", { exact: true }).waitFor();
      assert.equal(await page.getByText("Some clients have no last day.").count(), 0);
      await page.getByRole("button", { name: "Actions: front desk" }).click();
      await page.getByRole("menuitem", { name: "Forget this client" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Forget this client" }).click();
      await page.getByText("No client yet").waitFor();
    } finally {
      site.server.kit.gateway.view = undefined;
      await old.stop();
    }
  });
});
