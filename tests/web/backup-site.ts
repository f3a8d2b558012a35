// A site with a vault, for tests of backing up from a browser: makes the vault by the page's own code, counts what the server takes in,
// and restores with the command line.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { toHex } from "../../src/core/bytes.ts";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { type PreparedVault, prepareVault, vaultMessage } from "../../src/web/backup/make-vault.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { PackStreamParser } from "../../src/wire/v4/pack-stream.ts";
import { launchWithProfile } from "../browser/chromium.ts";
import { cli, newPlace } from "../cli/run-cli.ts";
import { call } from "../server/device.ts";
import { OWNER, type Site, startSite, type Tab } from "./rig.ts";

export const PASSPHRASE = "four plain words here";

export type BackupSite = Site & { readonly vault: PreparedVault };

export async function startBackupSite(options: Parameters<typeof startSite>[0] = {}): Promise<BackupSite> {
  const site = await startSite(options);
  const wish = { name: "home", passphrase: PASSPHRASE, deviceName: "First browser", logN: 10 };
  const vault = await prepareVault(wish, { clock: systemClock, random: systemRandom });
  await call({ socketPath: site.server.socketPath }, VAULT_ROUTES.makeVault, { body: vaultMessage(vault) });
  return { ...site, vault };
}

/** A tab of a browser with a profile on the disk. Chromium's private windows die of large files in the page's own storage. */
export async function openWithProfile(site: BackupSite, path: string): Promise<Tab> {
  const folder = mkdtempSync(join(tmpdir(), "cb-profile-"));
  const context = await launchWithProfile(folder, {
    viewport: { width: 1280, height: 800 },
    reducedMotion: "reduce",
    locale: "en-GB",
  });
  const tab = await site.open({ as: { email: OWNER }, path, beside: { context } as Tab });
  return {
    ...tab,
    async [Symbol.asyncDispose]() {
      try {
        await tab[Symbol.asyncDispose]();
      } finally {
        await context.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Makes the browser of this tab a device, as a person does. */
export async function enrolHere(page: Page, passphrase = PASSPHRASE): Promise<void> {
  await page.getByRole("textbox", { name: "Passphrase" }).fill(passphrase);
  await page.getByRole("button", { name: "Unlock" }).click();
  await page.getByRole("button", { name: "Enrol this browser" }).click();
  await page.getByRole("heading", { name: "What to back up" }).waitFor();
}

/** Chooses a folder of this machine, as the dialogue of a browser without File System Access does. */
export async function chooseFolder(page: Page, folder: string): Promise<void> {
  await page.locator("input[webkitdirectory]").setInputFiles(folder);
}

export async function startBackup(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Back up now" }).click();
}

/** Waits for the end; fails at once, with what the page says, when it is no good one. */
export async function endOfBackup(page: Page, timeoutMs = 60_000): Promise<void> {
  const good = page.getByText(/^Everything is safe/);
  const bad = page.getByRole("region", { name: /^Backup “/ }).getByRole("alert");
  await good.or(bad).first().waitFor({ timeout: timeoutMs });
  assert.ok(await good.isVisible(), (await bad.allInnerTexts()).join("\n"));
}

/** Restores the newest snapshot with the command line from the served vault's folder; gives the folder that holds it. */
export async function restoreByCli(site: BackupSite): Promise<{ folder: string; remove(): void }> {
  const place = newPlace();
  const secret = join(place.folder, "passphrase");
  writeFileSync(secret, `${PASSPHRASE}\n`, { mode: 0o600 });
  const target = join(place.folder, "restored");
  const vault = join(site.data, "vaults", site.vault.vaultId);
  await cli(place, ["restore", "latest", "--vault", vault, "--passphrase-file", secret, "--target", target]);
  return { folder: target, remove: place.remove };
}

/** Puts files of random bytes into a folder of the page's private files, which the next folder dialogue then gives. */
export async function folderFromDialogue(page: Page, name: string, sizes: readonly number[]): Promise<void> {
  await page.evaluate(
    async ({ name, sizes }) => {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle(name, { create: true });
      for (const [i, size] of sizes.entries()) {
        const writable = await (await folder.getFileHandle(`file ${i}`, { create: true })).createWritable();
        for (let at = 0; at < size; at += 65_536) {
          await writable.write(crypto.getRandomValues(new Uint8Array(Math.min(65_536, size - at))));
        }
        await writable.close();
      }
      // No test can answer the browser's own dialogue.
      Object.assign(window, { showDirectoryPicker: async () => folder });
    },
    { name, sizes },
  );
}

/** Ids of all chunks in all packs that the server has, each as often as it is there. */
export function chunksStored(site: BackupSite): string[] {
  const packs = join(site.data, "vaults", site.vault.vaultId, "packs");
  const ids: string[] = [];
  if (!existsSync(packs)) return ids;
  for (const entry of readdirSync(packs, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) ids.push(...chunksOf(readFileSync(join(entry.parentPath, entry.name))));
  }
  return ids;
}

/** What stands behind the footer is the server's own. */
function chunksOf(pack: Uint8Array): string[] {
  for (const event of new PackStreamParser().push(pack)) {
    if (event.type !== "footer") continue;
    return event.entries.flatMap(({ chunkIds }) =>
      Array.from({ length: chunkIds.length / 32 }, (_, i) => toHex(chunkIds.subarray(i * 32, i * 32 + 32))),
    );
  }
  return [];
}

/** SHA-256 of every file below a folder, by its path in it. */
export function hashesBelow(folder: string): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hashes.set(path.slice(folder.length + 1), createHash("sha256").update(readFileSync(path)).digest("hex"));
  }
  return new Map([...hashes].sort());
}

/** A folder of small files, of which some are equal and some are empty, three levels deep. */
export function smallFiles(count: number, seed = 1): { folder: string; remove(): void } {
  const top = mkdtempSync(join(tmpdir(), "cb-web-files-"));
  const folder = join(top, "Träume & notes");
  for (let i = 0; i < count; i++) {
    const path = join(folder, `d${i % 13}`, `ü${i % 5}`, `file ${i}.txt`);
    mkdirSync(dirname(path), { recursive: true });
    const line = `${seed}:${i % 7 === 0 ? "same" : i}\n`;
    writeFileSync(path, i % 50 === 0 ? "" : line.repeat(1 + ((i * 37) % 900)));
  }
  return { folder, remove: () => rmSync(top, { recursive: true, force: true }) };
}
