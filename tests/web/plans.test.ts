// Plans made and changed in the page, carried out by a real agent: what somebody writes in the tab is what the device does, and the server that
// passes it on learns when and how long, and never what.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { AgentProcess } from "../agent/agent-process.ts";
import { noChromium } from "../browser/chromium.ts";
import { until } from "../until.ts";
import { assertAccessible } from "./axe.ts";
import { listenIn } from "./heard.ts";
import { OWNER } from "./rig.ts";
import { PASSPHRASE, startVaultSite, type VaultSite } from "./vault-site.ts";

const NAME = "canary-papers";

describe("plans in the page", { skip: noChromium }, () => {
  let site: VaultSite;
  let agent: AgentProcess;
  let source: string;
  before(async () => {
    site = await startVaultSite();
    source = join(site.place.folder, "canary-source");
    mkdirSync(source);
    for (const name of ["a.txt", "b.txt", "c.tmp"]) writeFileSync(join(source, name), `canary-content of ${name}\n`);
    agent = new AgentProcess(site.place);
    agent.start();
    // It has no plan yet, and is connected all the same.
    await agent.until(({ event }) => event === "connected");
  });
  after(async () => {
    await agent?.end("SIGTERM");
    await site?.[Symbol.asyncDispose]();
  });

  const planFile = (name = NAME): string => {
    const [vault = ""] = readdirSync(join(site.place.home, "plans"));
    return join(site.place.home, "plans", vault, `${name}.json`);
  };
  const planOnDisk = (): { enabled?: boolean; schedule?: string; exclude?: string[] } =>
    JSON.parse(readFileSync(planFile(), "utf8"));

  test("one made there runs on the device, is turned off, changed on both sides, and removed; nothing of it is known to the server", async () => {
    using heard = listenIn();
    await using tab = await site.site.open({ as: { email: OWNER }, path: "/devices" });
    const { page } = tab;
    await page.getByRole("link", { name: "ann-laptop" }).click();
    await page.getByText("It has no plan at this server").waitFor();
    const devicePage = page.url();
    await page.getByRole("link", { name: "Add a plan" }).click();
    await unlock(page);

    // By the keyboard alone, mistakes first.
    await page.getByRole("textbox", { name: "Name", exact: true }).focus();
    await page.keyboard.type("Canary Papers");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.type("relative/path");
    await page.keyboard.press("Tab");
    await page.keyboard.type("*.tmp");
    await page.getByRole("textbox", { name: "Schedule" }).fill("every dya at noon");
    await page.getByText('did you mean "day"').waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("3 fields need a look.").waitFor();
    await page.getByText("Line 1 must be an absolute path.").waitFor();
    // The first of them gets the focus once they are drawn.
    await page.waitForFunction(() => (document.activeElement as HTMLInputElement).value === "Canary Papers");
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-invalid")), "true");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(NAME);
    await page.getByRole("textbox", { name: "Files and folders" }).fill(source);
    await page.getByRole("button", { name: "every day at 12:30" }).click();
    await page.getByRole("combobox", { name: "Time zone" }).fill("Asia/Tok");
    await page.getByRole("option", { name: "Asia/Tokyo" }).click();
    assert.equal(await page.getByRole("status").getByRole("listitem").count(), 5);
    assert.match((await page.getByRole("status").getByRole("listitem").first().textContent()) ?? "", /12:30/);
    await assertAccessible(page, "plan");
    await page.getByRole("button", { name: "Save the plan" }).click();

    await agent.until(({ event, plan }) => event === "plan-taken" && plan === NAME);
    await page.getByRole("link", { name: `Edit ${NAME}` }).waitFor();
    await page.getByText(source).waitFor();
    await page.getByText("The device has not taken over the last change yet.").waitFor({ state: "detached" });
    await choose(page, "Back up now");
    const ended = await agent.until(({ event }) => event === "run-ended");
    assert.deepEqual([ended.plan, ended.outcome, ended.trigger, ended.files], [NAME, "ok", "asked", 2], agent.errors);

    await choose(page, "Turn off");
    await page.getByText("Off", { exact: true }).waitFor();
    await until("the plan is off", () => planOnDisk().enabled === false);

    // Changed on the device while somebody edits it here.
    await choose(page, "Edit");
    const excludes = page.getByRole("textbox", { name: "Leave out", exact: true });
    await excludes.fill("*.tmp\n*.bak");
    // In one step, as a careful editor does: the device may look at any moment.
    const draft = join(site.place.folder, "draft.json");
    writeFileSync(draft, JSON.stringify({ ...planOnDisk(), schedule: "hourly" }));
    renameSync(draft, planFile());
    await page.getByText("Somebody has changed this plan meanwhile").waitFor();
    await assertAccessible(page, "plan, conflict");
    await page.getByRole("button", { name: "Load theirs" }).click();
    assert.equal(await page.getByRole("textbox", { name: "Schedule" }).inputValue(), "hourly");
    assert.equal(await excludes.inputValue(), "*.tmp");
    await excludes.fill("*.tmp\n*.old");
    // What the server keeps of it is set along with it.
    const kept = page.getByRole("region", { name: "How long it is kept" });
    await kept.getByText("The vault keeps: everything.").waitFor();
    await kept.getByText("Rules of its own").click();
    await kept.getByRole("textbox", { name: "The last", exact: true }).fill("5");
    await kept.getByRole("button", { name: "Preview" }).click();
    await kept.getByText("1 would be kept, 0 would go to the trash.").waitFor();
    await page.getByRole("button", { name: "Save the plan" }).click();
    await until("the device has the exclude", () => planOnDisk().exclude?.includes("*.old") === true);
    assert.equal(planOnDisk().schedule, "hourly");

    // A program is not taken from a server, and the page says why.
    await page.getByRole("link", { name: `Edit ${NAME}` }).click();
    await kept.getByRole("textbox", { name: "The last", exact: true }).and(page.locator("[value='5']")).waitFor();
    await until("the editor shows what was saved", async () => (await excludes.inputValue()) === "*.tmp\n*.old");
    await page.getByRole("textbox", { name: "Before each backup" }).fill("/bin/true");
    await page.getByText("A device takes programs over").waitFor();
    await page.getByRole("button", { name: "Save the plan" }).click();
    await page.getByText(/The device cannot follow it/).waitFor();
    await page.getByText("cyberbackup plan programs --from-server allow").waitFor();
    await assertAccessible(page, "device with a refused plan");

    await page.getByRole("button", { name: "Lock", exact: true }).click();
    await page.getByRole("region", { name: "Plans" }).getByText("What a plan backs up is encrypted").waitFor();
    assert.equal((await page.locator("main").textContent())?.includes("canary"), false);
    await page.getByRole("region", { name: "Plans" }).getByRole("button", { name: "Unlock" }).click();
    await unlock(page);
    await choose(page, "Remove");
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("It has no plan at this server").waitFor();
    await until("the file is gone", () => !existsSync(planFile()));
    assert.equal(page.url(), devicePage);

    const told = Buffer.concat([heard.all(), ...filesBelow(site.site.data)]);
    assert.ok(told.length > 10_000, "it did hear something");
    for (const secret of ["canary", "*.old", "Asia/Tokyo", "/bin/true", PASSPHRASE]) {
      assert.ok(!told.includes(secret), `the server has seen ${secret}`);
    }
  });

  test("rules of retention are given to a single plan, previewed, kept, and taken back", async () => {
    await using tab = await site.site.open({ as: { email: OWNER }, path: "/vaults" });
    const { page } = tab;
    await page.getByRole("link", { name: "home" }).click();
    await page.getByRole("tab", { name: "Retention" }).click();
    const rules = page.getByRole("region", { name: "Rules for single plans" });
    await rules.getByRole("button", { name: "Unlock" }).click();
    await unlock(page);
    await rules.getByRole("combobox", { name: "Name of the plan" }).fill(NAME);
    await page.keyboard.press("Enter");
    const own = rules.getByRole("group", { name: NAME });
    await own.getByRole("textbox", { name: "The last", exact: true }).fill("7");
    await rules.getByText("the last 7, 14 daily").waitFor();
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByRole("row").filter({ hasText: NAME }).filter({ hasText: "one of the last" }).waitFor();

    // A changed form is not left unasked: not by a link, not by the button of the browser, not by closing the tab.
    const isHeld = (): Promise<boolean> =>
      page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));
    const asked = page.getByRole("dialog", { name: "Leave without saving?" });
    await page.getByRole("link", { name: "Devices" }).press("Enter");
    await asked.waitFor();
    await page.keyboard.press("Escape");
    await asked.waitFor({ state: "detached" });
    await page.evaluate(() => history.back());
    await asked.getByRole("button", { name: "Stay here" }).press("Enter");
    await asked.waitFor({ state: "detached" });
    assert.equal(await isHeld(), true);
    await rules.getByText("the last 7, 14 daily").waitFor();
    await assertAccessible(page, "retention of a plan");
    await page.getByRole("button", { name: "Save these rules" }).click();
    await page.getByText("The rules are saved.").waitFor();
    assert.equal(await isHeld(), false);

    await page.reload();
    await rules.getByText(/^Plan [0-9a-f]{8}$/).waitFor();
    await rules.getByText("the last 7, 14 daily").click();
    await page.getByRole("button", { name: "Use the rules above for it" }).click();
    await page.getByRole("button", { name: "Save these rules" }).click();
    await page.getByText("The rules are saved.").waitFor();
    assert.equal(await rules.getByText(/^Plan [0-9a-f]{8}$/).count(), 0);
  });
});

async function unlock(page: Page): Promise<void> {
  await page.getByRole("textbox", { name: "Passphrase" }).fill(PASSPHRASE);
  await page.getByRole("button", { name: "Unlock", exact: true }).last().click();
  await page.getByRole("textbox", { name: "Passphrase" }).waitFor({ state: "detached" });
}

async function choose(page: Page, deed: string): Promise<void> {
  await page.getByRole("button", { name: `Actions for ${NAME}` }).click();
  await page.getByRole("menuitem", { name: deed, exact: true }).click();
}

function filesBelow(folder: string): Buffer[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}
