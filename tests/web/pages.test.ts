// Every page of a server that is in use: nobody is kept out by it, each role is offered what it may do, and the page bears with sign-ins
// that end.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import type { VaultId } from "../../src/core/ids.ts";
import { noChromium } from "../browser/chromium.ts";
import { bodyOf, machine } from "../server/people-kit.ts";
import { assertAccessible } from "./axe.ts";
import {
  addGateway,
  FORM_DIALOGUES,
  type FormDialogue,
  LOCKED_DIALOGUES,
  OTHER_DIALOGUES,
  readyForDialogues,
} from "./dialogues.ts";
import { type Furnished, furnishedSite } from "./furnished.ts";
import { addManyRuns } from "./past.ts";
import { OWNER, PASSWORD, type Site, type Tab } from "./rig.ts";
import { addVirtualAuthenticator } from "./virtual-authenticator.ts";

const PATHS = [
  "/vaults",
  "/vaults/$vault",
  "/vaults/$vault/snapshots",
  "/vaults/$vault/retention",
  "/vaults/$vault/care",
  "/vaults/$vault/keys",
  "/vaults/$vault/log",
  "/devices/$vault/$device",
  "/devices/$vault/$device/plans/$plan",
  "/settings/security",
  "/settings/keys",
  "/settings/appearance",
  "/settings/notifications",
  "/settings/people",
  "/settings/invitations",
  "/settings/legacy",
  "/settings/audit",
  "/settings/about",
  "/welcome",
  "/nowhere",
];

describe("pages of a server in use", { skip: noChromium }, () => {
  let furnished: Furnished;
  let site: Site;
  before(async () => {
    furnished = await furnishedSite();
    site = furnished.site;
  });
  after(() => furnished?.[Symbol.asyncDispose]());

  for (const scheme of ["light", "dark"] as const) {
    test(`keep nobody out (${scheme})`, async () => {
      await using tab = await site.open({ scheme, as: { email: OWNER } });
      for (const path of PATHS) {
        const { vaultId, deviceId, planId } = furnished;
        await tab.go(path.replace("$vault", vaultId).replace("$device", deviceId).replace("$plan", planId));
        await tab.page.getByRole("heading", { level: 1 }).waitFor();
        await drawn(tab.page);
        await assertAccessible(tab.page, path);
      }
    });
  }

  test("offer each role what it may do", async () => {
    const offered = async (email: string) => {
      await using tab = await site.open({ as: { email } });
      const { page } = tab;
      await tab.go(`/vaults/${furnished.vaultId}/care`);
      await page.getByRole("heading", { name: "Free space" }).waitFor();
      await drawn(page);
      const care = {
        run: await page.getByRole("button", { name: "Run now" }).count(),
        schedule: await page.getByRole("button", { name: "Schedule" }).count(),
      };
      await tab.go(`/devices/${furnished.vaultId}/${furnished.deviceId}`);
      await page.getByRole("heading", { name: "Plans" }).waitFor();
      await drawn(page);
      const plans = await page.getByRole("link", { name: "Add a plan" }).count();
      await tab.go("/settings/people");
      await page.getByRole("heading", { name: "Settings" }).waitFor();
      await drawn(page);
      const menu = page.getByRole("navigation", { name: "Settings sections" });
      return {
        ...care,
        plans,
        people: await menu.getByText("People").count(),
        invitations: await menu.getByText("Invitations").count(),
      };
    };
    assert.deepEqual(await offered("victor@example.org"), { run: 0, schedule: 0, plans: 0, people: 0, invitations: 0 });
    assert.deepEqual(await offered("oscar@example.org"), { run: 4, schedule: 0, plans: 1, people: 0, invitations: 1 });
    assert.deepEqual(await offered(OWNER), { run: 4, schedule: 4, plans: 1, people: 1, invitations: 1 });
  });

  test("show what a collection would do, and run one", async () => {
    await using tab = await site.open({ as: { email: OWNER }, path: `/vaults/${furnished.vaultId}/care` });
    const deed = tab.page.getByRole("region", { name: "Free space" });
    await deed.getByRole("button", { name: "Show the plan" }).click();
    await tab.page
      .getByRole("dialog")
      .getByRole("row", { name: /Packs kept/ })
      .waitFor();
    await tab.page.keyboard.press("Escape");
    await deed.getByRole("button", { name: "Run now" }).click();
    await tab.page.getByRole("row").filter({ hasText: "by Olga" }).filter({ hasText: "Done" }).first().waitFor();
  });

  test("verify the log, become a device, pin and remove a snapshot, and bring it back", async () => {
    await using tab = await site.open({ as: { email: OWNER }, path: `/vaults/${furnished.vaultId}/log` });
    const { page } = tab;
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("The log holds together.").waitFor();
    await tab.go(`/vaults/${furnished.vaultId}/snapshots`);
    await page.getByRole("button", { name: "Unlock and make this browser a device" }).click();
    const dialogue = page.getByRole("dialog");
    await dialogue.getByRole("textbox", { name: "Passphrase" }).fill("wrong");
    await dialogue.getByRole("button", { name: "Unlock" }).click();
    await dialogue.getByText("That does not open this vault").waitFor();
    await dialogue.getByRole("textbox", { name: "Passphrase" }).fill(furnished.passphrase);
    await dialogue.getByRole("button", { name: "Unlock" }).click();
    await dialogue.waitFor({ state: "hidden" });
    const row = page.getByRole("row").filter({ hasText: "nas" });
    const choose = async (deed: string) => {
      await row.getByRole("button", { name: /^Actions/ }).click();
      await page.getByRole("menuitem", { name: deed, exact: true }).click();
    };
    await choose("Pin");
    await row.getByText("Pinned").waitFor();
    await choose("Unpin");
    await row.getByText("Pinned").waitFor({ state: "hidden" });
    await choose("Move to the trash");
    await page.getByRole("dialog").getByRole("button", { name: "Move to the trash" }).click();
    await row.getByText("In the trash").waitFor();
    await choose("Bring back");
    await row.getByText("Kept").waitFor();
  });

  test("are loaded anew when a server that was updated has another version of them", async () => {
    await using tab = await site.open({ as: { email: OWNER }, path: `/vaults/${furnished.vaultId}` });
    const { page } = tab;
    await page.getByRole("tab", { name: "Log" }).waitFor();
    let asked = 0;
    await page.route("**/assets/*.js", (route) => (asked++ === 0 ? route.fulfill({ status: 404 }) : route.continue()));
    await page.getByRole("tab", { name: "Log" }).click();
    await page.getByRole("region", { name: "The vault's log" }).waitFor();
    assert.ok(asked > 1);
    tab.complaints();
  });

  test("are walked by keyboard alone", async () => {
    await using tab = await site.open({ as: { email: OWNER }, path: "/vaults" });
    const { page } = tab;
    await page.getByRole("link", { name: "home" }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await page.getByRole("heading", { level: 1, name: "Settings" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("textbox", { name: "Search" }).fill("home");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "home" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "home" }).waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  });

  test("draw of thousands of runs those in sight, and go on to the oldest", async () => {
    addManyRuns(site, furnished.vaultId as VaultId, 2000);
    for (const width of [1280, 390]) {
      await using tab = await site.open({ as: { email: OWNER }, path: "/runs", width });
      const { page } = tab;
      const runs = page.locator("main [data-index]");
      await page.getByText("200 shown").waitFor();
      await page.evaluate(async () => {
        const oldest = () =>
          Number([...document.querySelectorAll("main [data-index]")].at(-1)?.getAttribute("data-index"));
        while (oldest() < 1500) {
          scrollTo(0, document.documentElement.scrollHeight);
          await new Promise(requestAnimationFrame);
        }
      });
      await runs.last().scrollIntoViewIfNeeded();
      assert.ok((await runs.count()) < 80, `${await runs.count()} rows are drawn`);
      await assertAccessible(page, `runs, ${width} px`);
    }
  });

  test("discard what was entered into a dialogue only if told to, in every dialogue", async () => {
    const forms = [...LOCKED_DIALOGUES, ...FORM_DIALOGUES];
    const listed = [...forms.map(({ file }) => file), ...OTHER_DIALOGUES].sort();
    assert.deepEqual(dialoguesInSource(), listed, "tests/web/dialogues.ts lists every dialogue");
    addGateway(furnished);
    await using tab = await site.open({ as: { email: OWNER } });
    const { page } = tab;
    const walk = async (dialogues: readonly FormDialogue[]) => {
      for (const each of dialogues)
        await keepsWhatWasEntered(tab, each).catch((cause) => assert.fail(`${each.file}, ${each.title}: ${cause}`));
    };
    const keepsWhatWasEntered = async ({ go }: Tab, { title, path, open, field, text = "m" }: FormDialogue) => {
      await go(path.replace("$vault", furnished.vaultId).replace("$device", furnished.deviceId));
      const dialogue = page.getByRole("dialog", { name: title });
      const question = page.getByRole("dialog", { name: "Discard your changes?" });
      await open(page);
      await field(dialogue).focus();
      await page.keyboard.press("Escape");
      await dialogue.waitFor({ state: "hidden" });

      await open(page);
      const isChoice = (await field(dialogue).getAttribute("type")) === "radio";
      const entered = () => (isChoice ? field(dialogue).isChecked() : field(dialogue).inputValue());
      if (isChoice) await field(dialogue).check();
      else await field(dialogue).fill(text);
      await page.keyboard.press("Escape");
      await question.waitFor();
      await page.keyboard.press("Enter");
      await question.waitFor({ state: "hidden" });
      await field(dialogue).and(page.locator(":focus")).waitFor();
      assert.equal(await entered(), isChoice ? true : text);
      await dialogue.getByRole("button", { name: "Close" }).click();
      await question.getByRole("button", { name: "Discard", exact: true }).click();
      await dialogue.waitFor({ state: "hidden" });
      await page.waitForFunction(() => document.activeElement !== document.body);
    };
    await walk(LOCKED_DIALOGUES);
    await addVirtualAuthenticator(page);
    await readyForDialogues(page, furnished, tab.go);
    await walk(FORM_DIALOGUES);
    site.server.kit.gateway.view = undefined;
  });

  test("hold on to a dialogue that somebody would leave by the way of the page", async () => {
    await using tab = await site.open({ as: { email: OWNER }, path: "/settings/about" });
    const { page } = tab;
    await page.getByRole("link", { name: "API keys" }).click();
    await page.getByRole("button", { name: "Make a key" }).click();
    const dialogue = page.getByRole("dialog", { name: "Make a key" });
    const question = page.getByRole("dialog", { name: "Discard your changes?" });
    await dialogue.getByLabel("What is it for?").fill("night job");
    await page.mouse.click(5, 400);
    await question.waitFor();
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "hidden" });
    const browserAsks = page.waitForEvent("dialog");
    await page.close({ runBeforeUnload: true });
    await (await browserAsks).dismiss();
    await page.goBack();
    await question.getByRole("button", { name: "Keep editing" }).click();
    await question.waitFor({ state: "hidden" });
    assert.equal(await dialogue.getByLabel("What is it for?").inputValue(), "night job");
    await page.goBack();
    await question.getByRole("button", { name: "Discard", exact: true }).click();
    await page.getByRole("heading", { name: "About" }).waitFor();
  });

  test("ask to sign in again where somebody was when a sign-in ends", async () => {
    await using tab = await site.open({ as: { email: OWNER }, path: "/settings/about" });
    const { page } = tab;
    await page.locator("[data-state=live]").first().waitFor();
    const { items } = bodyOf<{ items: { id: string; email: string }[] }>(
      await machine(site).call("GET", "/api/v4/people"),
    );
    const { id } = items.find(({ email }) => email === OWNER)!;
    bodyOf(await machine(site).call("DELETE", `/api/v4/sign-ins?person=${id}`), 204);
    await page.getByText("Your sign-in has ended").waitFor();
    await page.getByLabel("E-mail").fill(OWNER);
    await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "About" }).waitFor();
  });
});

/** The file of each dialogue, as often as it has one. */
function dialoguesInSource(): string[] {
  const root = join(import.meta.dirname, "..", "..", "src", "web");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".tsx"));
  return files
    .filter((file) => !file.endsWith(join("parts", "Dialogue.tsx")))
    .flatMap((file) => {
      const text = readFileSync(join(root, file), "utf8");
      assert.doesNotMatch(text, /<Modal[\s>]/, `${file} opens a dialogue that is not parts/Dialogue.tsx`);
      return [...text.matchAll(/<Dialogue\s/g)].map(() => file.replaceAll("\\", "/"));
    })
    .sort();
}

/** Nothing that it shows is still on its way. */
async function drawn(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector("[aria-busy=true]") === null);
}
