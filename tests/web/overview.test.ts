// The pages Overview, Devices and Runs and logs, of a real server with real devices: what they say is what happened, and it moves while it happens.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { noChromium } from "../browser/chromium.ts";
import { cli, cliResult, ended, newPlace, PASSPHRASE, type Place, start } from "../cli/run-cli.ts";
import { addPerson } from "../server/people-kit.ts";
import { assertAccessible } from "./axe.ts";
import { OWNER, PASSWORD, type Site, startSite, type Tab } from "./rig.ts";

describe("overview, devices and runs", { skip: noChromium }, () => {
  let site: Site;
  let place: Place;

  before(async () => {
    site = await startSite({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
    const origin = `https://127.0.0.1:${site.server.port}`;
    place = { ...newPlace(), vault: `${origin}/home` };
    const passwordFile = join(place.folder, "password.txt");
    writeFileSync(passwordFile, `${PASSWORD}\n`);
    const pin = site.server.kit.identity().pin!;
    await cli(place, ["login", origin, "--server-pin", pin, "--email", OWNER, "--password-file", passwordFile]);
  });
  after(async () => {
    await site?.[Symbol.asyncDispose]();
    place?.remove();
  });

  const asOwner = (path: string, more: object = {}): Promise<Tab> => site.open({ as: { email: OWNER }, path, ...more });

  test("an empty server says what to do first", async () => {
    await using tab = await asOwner("/");
    await tab.page.getByText("Begin with a vault").first().waitFor();
    await tab.page.getByRole("link", { name: "New vault" }).waitFor();
    await assertAccessible(tab.page, "empty overview");
    await tab.go("/runs");
    await tab.page.getByText("No run yet").waitFor();
    await tab.go("/devices");
    await tab.page.getByText("No vault yet").waitFor();
    await tab.go("/backup");
    await tab.page.getByRole("link", { name: "New vault" }).waitFor();
  });

  test("a device's run is seen while it goes on, can be cancelled, and what it could not read is shown to who has the key", async () => {
    await cliResult(place, "init");
    await using tab = await asOwner("/");
    const { page } = tab;
    const live = page.locator("[data-state=live]").first();
    await live.waitFor();
    const child = start(place, ["backup", "--stdin", "--stdin-filename", "endless"]);
    child.stdin!.write("begun");
    await page.getByRole("heading", { name: "Running now" }).waitFor();
    await page.getByRole("button", { name: "Cancel this run" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel this run" }).click();
    assert.equal((await ended(child)).exit, 130);
    await page.getByRole("heading", { name: "Running now" }).waitFor({ state: "detached" });

    const file = join(place.folder, "letter.txt");
    writeFileSync(file, "Dear reader,\n".repeat(1000));
    await cli(place, ["backup", file, join(place.folder, "gone.txt")], { exit: 3 });
    await page.getByText("Your device is protected").first().waitFor();

    await page.getByRole("link", { name: "Runs and logs" }).click();
    await page.getByRole("cell", { name: "Cancelled" }).waitFor();
    await page.getByRole("row").filter({ hasText: "Done, not all read" }).getByRole("link").click();
    await page.getByText("1 file or folder could not be read").waitFor();
    assert.equal(await page.getByText("gone.txt").count(), 0);
    await assertAccessible(page, "run");
    await page.getByRole("button", { name: "Unlock", exact: true }).click();
    const door = page.getByRole("dialog", { name: "Unlock home" });
    await door.getByRole("textbox", { name: "Passphrase" }).fill(PASSPHRASE);
    await door.getByRole("button", { name: "Unlock", exact: true }).click();
    await door.waitFor({ state: "hidden" });
    await page
      .getByRole("listitem")
      .getByText(/gone\.txt$/)
      .waitFor();
    await page.getByText("It was gone when it was to be read.").waitFor();
    await page.getByRole("button", { name: "Lock", exact: true }).click();
    await page.getByText(/gone\.txt$/).waitFor({ state: "detached" });
  });

  test("runs are filtered, and downloaded as JSON", async () => {
    await using tab = await asOwner("/runs");
    const { page } = tab;
    await page.getByLabel("State").selectOption("cancelled");
    await page.getByRole("cell", { name: "Done, not all read" }).waitFor({ state: "detached" });
    // Between the two lists there is none.
    await page.getByRole("row").nth(1).waitFor();
    assert.equal(await page.getByRole("row").count(), 2);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download as JSON" }).click(),
    ]);
    const stream = await download.createReadStream();
    const slices: Buffer[] = [];
    for await (const slice of stream) slices.push(slice as Buffer);
    const { items } = JSON.parse(Buffer.concat(slices).toString()) as { items: { state: string }[] };
    assert.deepEqual(
      items.map(({ state }) => state),
      ["cancelled"],
    );
  });

  test("a device is asked to back up, renamed, and an enrolment code for another is made in the tab", async () => {
    await using tab = await asOwner("/devices");
    const { page } = tab;
    await page.getByRole("row").nth(1).getByRole("link").click();
    await page.getByRole("button", { name: "Back up now" }).click();
    await page.getByText("Asked to back up. It is not connected").waitFor();
    await page.getByText("waits for the device").waitFor();
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Rename" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("workshop");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "workshop", level: 1 }).waitFor();
    await assertAccessible(page, "device");

    await page.getByRole("link", { name: "Devices" }).first().click();
    await page.getByRole("button", { name: "Add a device" }).click();
    await page.getByRole("dialog").getByRole("textbox", { name: "Passphrase" }).fill(PASSPHRASE);
    await page.getByRole("dialog").getByRole("button", { name: "Unlock", exact: true }).click();
    await page.getByLabel("Name of the new device").fill("attic");
    await page.getByRole("button", { name: "Make an enrolment code" }).click();
    const line = await page.getByLabel("Command with the enrolment code").innerText();
    const code = /cb4-[\w-]+/.exec(line)![0].replace(/localhost/, "127.0.0.1");
    const attic = { ...newPlace(), vault: place.vault };
    try {
      await cli(attic, ["enroll", code, "--name", "attic"]);
      await page.keyboard.press("Escape");
      await page.getByRole("link", { name: "attic" }).click();
      await page.getByRole("button", { name: "More" }).click();
      await page.getByRole("menuitem", { name: "Shared pieces…" }).click();
      await page.getByRole("button", { name: "Unlock and make this browser a device" }).click();
      const sharing = page.getByRole("dialog", { name: "With whom attic shares" });
      await sharing.getByRole("radio", { name: "Nobody: set it apart" }).check();
      await assertAccessible(page, "trust");
      await sharing.getByRole("button", { name: "Save" }).click();
      await sharing.waitFor({ state: "detached" });
      await page.getByRole("definition").filter({ hasText: "Set apart" }).waitFor();
      const { devices } = await cliResult(place, "device list");
      assert.deepEqual(
        devices.map(({ name, group }) => [name, group]).filter(([, group]) => group !== ""),
        [["attic", null]],
      );
      await page.getByRole("button", { name: "More" }).click();
      await page.getByRole("menuitem", { name: "Revoke" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
      await page.getByText("Revoked", { exact: true }).waitFor();
      await cli(attic, ["snapshots"], { exit: 16 });
    } finally {
      attic.remove();
    }
  });

  test("the server's log is an owner's, and live", async () => {
    await addPerson(site, "vera@example.org", { role: "viewer" });
    await using tab = await asOwner("/runs/log");
    await tab.page.locator("[data-state=live]").first().waitFor();
    site.server.kit.logger.warn("something is odd", { code: "io" });
    await tab.page.getByText("something is odd").waitFor();
    await tab.page.getByLabel("Find in the lines").fill("odd");
    await assertAccessible(tab.page, "log");
    await using other = await site.open({ as: { email: "vera@example.org" }, path: "/runs" });
    await other.page.getByRole("heading", { name: "Runs and logs" }).waitFor();
    assert.equal(await other.page.getByRole("tab", { name: "Server log" }).count(), 0);
    assert.equal(await other.page.getByRole("button", { name: "Cancel this run" }).count(), 0);
  });

  for (const scheme of ["light", "dark"] as const) {
    test(`nothing serious is found by axe, nothing is wider than a phone (${scheme})`, async () => {
      await using tab = await asOwner("/", { scheme, width: 390, height: 844 });
      for (const [path, heading] of [
        ["/", "Overview"],
        ["/devices", "Devices"],
        ["/runs", "Runs and logs"],
      ] as const) {
        await tab.go(path);
        await tab.page.getByRole("heading", { name: heading, level: 1 }).waitFor();
        await tab.page.locator("main [aria-busy=true]").first().waitFor({ state: "detached" });
        await assertAccessible(tab.page, `${path} ${scheme}`);
        const width = await tab.page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= 390, `${path} is ${width} px wide`);
      }
    });
  }
});
