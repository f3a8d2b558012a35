// The page Files on a vault that the command line made: unlocking in every way, looking around, and getting everything back byte for byte.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { noChromium } from "../browser/chromium.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { assertAccessible } from "./axe.ts";
import type { Tab } from "./rig.ts";
import { PASSPHRASE, startVaultSite, type VaultSite } from "./vault-site.ts";
import { addVirtualAuthenticator } from "./virtual-authenticator.ts";

const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAYAAABytg0kAAAAFklEQVR4nGP8z8Dwn4GBgYGJAQoAHgcCAljJ7l0AAAAASUVORK5CYII=",
  "base64",
);
const LONGEST_MS = 15_000;
const LARGE = pseudoRandomBytes(9, 7_000_001);

describe("files", { skip: noChromium }, () => {
  let vault: VaultSite;
  let source: string;
  before(async () => {
    vault = await startVaultSite();
    source = join(vault.place.folder, "ann");
    mkdirSync(join(source, "letters", "old"), { recursive: true });
    mkdirSync(join(source, "empty"));
    write("letters/bob.txt", "Dear Bob,\nall is well.\n");
    write("letters/page.html", "<script>document.title = 'run'</script>");
    write("letters/old/gone.txt", "to be removed");
    write("picture.png", PICTURE);
    write("large.bin", LARGE);
    write("nothing", "");
    for (let i = 0; i < 40; i++) write(`letters/old/note ${i}.md`, `# ${i}\n`.repeat(i));
    await vault.backup(source);
    rmSync(join(source, "letters/old/gone.txt"));
    write("letters/bob.txt", "Dear Bob,\nnothing is well.\n");
    write("letters/new.txt", "new");
    // What other systems cannot hold under its name, or only once.
    for (const name of ["CON", "what: now?", "dot.", "Same", "same"]) write(`odd/${name}`, name);
    writeFileSync(Buffer.concat([Buffer.from(`${source}/odd/`), Buffer.of(0xff, 0x41)]), "not text");
    symlinkSync("bob.txt", join(source, "letters/link"));
    await vault.backup(source);
  });
  after(async () => {
    await shared?.[Symbol.asyncDispose]();
    await vault?.[Symbol.asyncDispose]();
  });

  function write(path: string, content: string | Uint8Array): void {
    mkdirSync(join(source, path, ".."), { recursive: true });
    writeFileSync(join(source, path), content);
  }

  /** Unlocked once for all tests that only look: making the key takes a second. Each finds the page as if it had just been opened. */
  let shared: Tab | undefined;
  async function unlocked(): Promise<Page> {
    if (!shared) {
      shared = await vault.files();
      shared.page.setDefaultTimeout(LONGEST_MS);
      await unlock(shared.page);
    }
    await shared.go("/settings");
    await shared.go("/files");
    await shared.page.getByRole("row").first().waitFor();
    const dismiss = shared.page.getByRole("button", { name: "Dismiss" });
    while ((await dismiss.count()) > 0) await dismiss.first().click();
    return shared.page;
  }

  test("a wrong passphrase says so, the right one opens, and locking closes", async () => {
    await using tab = await vault.files();
    const { page } = tab;
    await page.locator("input[type=password]").fill("wrong horse");
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.getByText("That does not open this vault").waitFor();
    await assertAccessible(page, "locked");
    await unlock(page);
    await page.getByText("Log verified").waitFor();
    await assertAccessible(page, "files");
    await page.getByRole("button", { name: "Lock", exact: true }).click();
    await page.getByRole("heading", { name: "Unlock home" }).waitFor();
    assert.equal(await page.getByRole("treegrid").count(), 0);
  });

  test("the recovery key opens, and another vault's does not", async () => {
    await using tab = await vault.files();
    const { page } = tab;
    await page.getByText("Recovery key", { exact: true }).click();
    const other = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    await page.getByRole("textbox", { name: "Recovery key" }).fill(other);
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.getByText("That key does not open this vault").waitFor();
    await page.getByRole("textbox", { name: "Recovery key" }).fill(`# kit\n${vault.recoveryKey}\n`);
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.getByRole("treegrid").waitFor();
  });

  test("a passkey that was added in the page opens the vault", async () => {
    await using tab = await vault.files();
    const { page } = tab;
    await unlock(page);
    await addVirtualAuthenticator(page);
    await page.getByRole("button", { name: "Lock by itself" }).click();
    await page.getByRole("menuitem", { name: "Add a passkey" }).click();
    await page.getByLabel("What to call it").fill("test key");
    await page.getByRole("button", { name: "Make the passkey" }).click();
    await page.getByText("The passkey opens this vault from now on.").waitFor();
    await page.getByRole("button", { name: "Lock", exact: true }).click();
    await page.getByText("Passkey", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.getByRole("treegrid").waitFor();
    await page.getByText("Log verified").waitFor();

    await tab.go(`/vaults/${vault.site.server.kit.vaults.list()[0]!.id}/keys`);
    await page.getByRole("button", { name: "Test: test key" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Test" }).click();
    await page.getByText("It opens the vault.").waitFor();
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByLabel("What to call it").fill("spare key");
    await page.getByRole("button", { name: "Make the passkey" }).click();
    await page.getByRole("button", { name: "Remove: spare key" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("The key is removed.").waitFor();
    assert.equal(await page.getByText("spare key", { exact: true }).count(), 0);
  });

  test("folders open in place and by name, with keys too, and sort", async () => {
    const page = await unlocked();
    await page.getByRole("button", { name: "Show what is in ann" }).click();
    await page.getByRole("row", { name: "letters" }).waitFor();
    await page.getByRole("treegrid").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await page.locator("[role=row][data-active][aria-selected=true]").waitFor();
    await page.getByTitle("letters", { exact: true }).click();
    await page.getByRole("row", { name: "bob.txt" }).waitFor();
    assert.deepEqual(await names(page), ["old", "bob.txt", "link", "new.txt", "page.html"]);
    await page.getByRole("button", { name: "Sort by Size" }).click();
    await page.waitForFunction(() => document.querySelectorAll("[role=row]")[1]?.textContent?.includes("page.html"));
    assert.deepEqual((await names(page)).slice(0, 3), ["old", "page.html", "bob.txt"]);
    await page.getByRole("navigation", { name: "Folder" }).getByRole("button", { name: "ann" }).click();
    await page.getByRole("row", { name: "picture.png" }).waitFor();
  });

  test("a name is found wherever it is, by a part or a pattern", async () => {
    const page = await unlocked();
    for (const [text, count] of [
      ["BOB", 1],
      ["note 1*.md", 11],
      ["no such name", 0],
    ] as const) {
      await page.getByRole("searchbox").fill(text);
      await page.getByText(count === 1 ? "1 found" : `${count} found`, { exact: true }).waitFor();
    }
    await page.getByText("Nothing has such a name.").waitFor();
  });

  test("two snapshots are compared", async () => {
    const page = await unlocked();
    await page.getByRole("button", { name: "Compare…" }).click();
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.getByText(/9 added, \d+ changed, 1 removed/).waitFor();
    await page.getByRole("row", { name: "gone.txt" }).getByText("removed").waitFor();
    await page.getByRole("row", { name: "new.txt" }).getByText("added").waitFor();
    await assertAccessible(page, "comparison");
  });

  test("text is shown as text, pictures as pictures, nothing runs, and all versions are there", async () => {
    const page = await unlocked();
    await openEntry(page, "page.html");
    const dialogue = page.getByRole("dialog");
    await dialogue.getByText("<script>document.title = 'run'</script>").waitFor();
    assert.equal(await page.title(), "Files · CyberBackup");
    await closeDetails(page);
    await openEntry(page, "picture.png");
    const shown = dialogue.getByRole("img", { name: "picture.png" });
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>("[role=dialog] img")?.naturalWidth === 2);
    assert.match((await shown.getAttribute("src"))!, /^blob:/);
    await closeDetails(page);
    await openEntry(page, "bob.txt");
    await dialogue.getByText("nothing is well").waitFor();
    await dialogue.getByRole("button", { name: /^Show this version/ }).click();
    await dialogue.getByText("all is well").waitFor();
    await assertAccessible(page, "details");
  });

  test("a file is downloaded byte for byte, into a chosen file and without such a choice", async () => {
    const page = await unlocked();
    await saveInto(page, "saved.bin");
    await openEntry(page, "large.bin");
    await page.getByRole("dialog").getByRole("button", { name: "Download", exact: true }).click();
    await page.getByText("Written and read again").waitFor();
    assert.deepEqual(await storedFile(page, ["saved.bin"]), Buffer.from(LARGE));
    await page.evaluate(() => Reflect.set(window, "showSaveFilePicker", undefined));
    const download = page.waitForEvent("download");
    await page.getByRole("dialog").getByRole("button", { name: "Download", exact: true }).click();
    const arrived = await download;
    assert.equal(arrived.suggestedFilename(), "large.bin");
    assert.deepEqual(readFileSync(await arrived.path()), Buffer.from(LARGE));
  });

  test("a selection is packed as zip and as tar", async () => {
    const page = await unlocked();
    await page.getByTitle("ann", { exact: true }).click();
    for (const name of ["letters", "large.bin"]) await page.getByRole("checkbox", { name: `Select ${name}` }).click();
    for (const format of ["zip", "tar"] as const) {
      await saveInto(page, `all.${format}`);
      await page.getByRole("button", { name: "Download", exact: true }).click();
      await page.getByRole("menuitem", { name: `Download as ${format}` }).click();
      const box = page.getByRole("region", { name: "Downloads and restores" });
      await box.getByText(/4\d files/).waitFor();
      await box.getByRole("button", { name: "Dismiss" }).click();
      const archive = join(vault.place.folder, `all.${format}`);
      writeFileSync(archive, await storedFile(page, [`all.${format}`]));
      const target = join(vault.place.folder, `from-${format}`);
      mkdirSync(target);
      if (format === "zip") execFileSync("unzip", ["-q", archive, "-d", target]);
      else execFileSync("tar", ["-xf", archive, "-C", target]);
      assert.deepEqual(readFileSync(join(target, "large.bin")), Buffer.from(LARGE));
      assert.equal(readFileSync(join(target, "letters/bob.txt"), "utf8"), "Dear Bob,\nnothing is well.\n");
      assert.equal(readdirSync(join(target, "letters/old")).length, 40);
    }
  });

  test("everything is restored into a folder, what cannot be as it was is named, and what is there is kept", async () => {
    const page = await unlocked();
    await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const target = await root.getDirectoryHandle("target", { create: true });
      Object.assign(window, { showDirectoryPicker: async () => target });
    });
    await page.getByTitle("ann", { exact: true }).click();
    await page.getByRole("row", { name: "picture.png" }).waitFor();
    const restore = async (): Promise<string> => {
      await page.getByRole("button", { name: "Restore to a folder…" }).click();
      await page.getByRole("button", { name: "Choose the folder…" }).click();
      const box = page.getByRole("region", { name: "Downloads and restores" });
      await box.getByText(/Written and read again|No file had to be written/).waitFor();
      const text = await box.innerText();
      await box.getByRole("button", { name: "Dismiss" }).click();
      return text;
    };
    const first = await restore();
    for (const note of [
      "letters/link left out: a symbolic link",
      "odd/CON renamed: written as %43ON",
      "odd/what: now? renamed: written as what%3A now%3F",
      "odd/dot. renamed: written as dot%2E",
      "odd/same renamed: written as same (2)",
      "not as in the backup",
    ]) {
      assert.ok(first.includes(note), `${note} in ${first}`);
    }
    const inTarget = (...path: string[]) => storedFile(page, ["target", "ann", ...path]);
    assert.deepEqual(await inTarget("large.bin"), Buffer.from(LARGE));
    assert.deepEqual(await inTarget("picture.png"), PICTURE);
    assert.equal((await inTarget("nothing")).length, 0);
    assert.equal(String(await inTarget("odd", "Same")), "Same");
    assert.equal(String(await inTarget("odd", "same (2)")), "same");
    assert.equal(String(await inTarget("odd", "\ufffdA")), "not text");
    for (let i = 0; i < 40; i++) {
      assert.deepEqual(
        await inTarget("letters", "old", `note ${i}.md`),
        readFileSync(join(source, `letters/old/note ${i}.md`)),
      );
    }
    await page.evaluate(async () => {
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("target");
      const handle = await (await root.getDirectoryHandle("ann")).getFileHandle("nothing");
      const writable = await handle.createWritable();
      await writable.write("mine");
      await writable.close();
    });
    assert.match(await restore(), /nothing left as it was: there is a file of this name already/);
    assert.equal(String(await inTarget("nothing")), "mine");
    // What a restore leaves that was cut off by the end of its tab.
    await page.evaluate(async () => {
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("target");
      const ann = await root.getDirectoryHandle("ann");
      await (await (await ann.getFileHandle("picture.png")).createWritable()).close();
    });
    await restore();
    assert.deepEqual(await inTarget("picture.png"), PICTURE);
  });
});

async function unlock(page: Page): Promise<void> {
  // Where there are passkeys they come first.
  await page.getByText("Passphrase", { exact: true }).first().click();
  await page.locator("input[type=password]").fill(PASSPHRASE);
  await page.getByRole("button", { name: "Unlock" }).click();
  await page.getByRole("treegrid").waitFor();
  await page.getByRole("row").first().waitFor();
}

/** By its name, wherever it is. */
async function openEntry(page: Page, name: string): Promise<void> {
  await page.getByRole("searchbox").fill(name);
  await page.getByTitle(name, { exact: true }).click();
}

async function closeDetails(page: Page): Promise<void> {
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** The names in sight, without the parts of the table that are no rows. */
async function names(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("[role=row]")]
      .sort((a, b) => Number(a.ariaRowIndex) - Number(b.ariaRowIndex))
      .map((row) => row.querySelector("button[title]")?.getAttribute("title") ?? ""),
  );
}

/** Answers the next choice of a file with one in the browser's private file system. */
async function saveInto(page: Page, name: string): Promise<void> {
  await page.evaluate((wanted) => {
    const pick = async () => (await navigator.storage.getDirectory()).getFileHandle(wanted, { create: true });
    Object.assign(window, { showSaveFilePicker: pick });
  }, name);
}

/** A file of the browser's private file system. */
async function storedFile(page: Page, path: readonly string[]): Promise<Buffer> {
  const text = await page.evaluate(
    async ([folders, name]) => {
      let folder = await navigator.storage.getDirectory();
      for (const each of folders) folder = await folder.getDirectoryHandle(each);
      const file = await (await folder.getFileHandle(name)).getFile();
      return new Uint8Array(await file.arrayBuffer()).toBase64();
    },
    [path.slice(0, -1), path.at(-1)!] as const,
  );
  return Buffer.from(text, "base64");
}
