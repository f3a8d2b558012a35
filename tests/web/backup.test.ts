// Backing up from a browser: a real page, a real server, and the command line that restores what was stored.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { signerOfKey } from "../../src/crypto/signature.ts";
import { signStatement, statementMessage } from "../../src/engine/enrol/statements.ts";
import { JOB_ROUTES } from "../../src/wire/v4/api/job-routes.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { noChromium } from "../browser/chromium.ts";
import { call } from "../server/device.ts";
import { assertAccessible } from "./axe.ts";
import {
  type BackupSite,
  chooseFolder,
  chunksStored,
  endOfBackup,
  enrolHere,
  folderFromDialogue,
  hashesBelow,
  openWithProfile,
  PASSPHRASE,
  restoreByCli,
  smallFiles,
  startBackup,
  startBackupSite,
} from "./backup-site.ts";
import { listenIn } from "./heard.ts";
import { OWNER, type Tab } from "./rig.ts";

const MIB = 2 ** 20;
/** One file of which parts are read by several workers, cut somewhere by content. */
const LARGE_BYTES = 24 * MIB + 12_345;
const PACKS = /\/packs\/\d+$/;

describe("backing up from a browser", { skip: noChromium }, () => {
  let site: BackupSite;
  before(async () => {
    site = await startBackupSite();
  });
  after(() => site?.[Symbol.asyncDispose]());

  /** Leaving while a backup runs is asked about. */
  const patient = (tab: Tab): Tab => {
    tab.page.on("dialog", (dialog) => void dialog.accept());
    return tab;
  };

  test("2,000 small files and a large one are restored by the command line byte for byte; a second run sends nothing; the server learns nothing", async () => {
    await using tab = await site.open({ as: { email: OWNER }, path: "/backup" });
    const { page } = tab;
    const source = smallFiles(2000);
    const large = randomBytes(LARGE_BYTES);
    large.write("a canary inside", 1000);
    writeFileSync(join(source.folder, "canary-file-name.bin"), large);
    using heard = listenIn();
    try {
      await assertAccessible(page, "backup, not enrolled");
      await enrolHere(page);
      await chooseFolder(page, source.folder);
      await page.getByText("2,001 files").first().waitFor();
      await page.getByLabel("Name of this backup").fill("canary-plan");
      await assertAccessible(page, "backup, chosen");
      await startBackup(page);
      await endOfBackup(page);
      await assertAccessible(page, "backup, done");
      const restored = await restoreByCli(site);
      const expected = hashesBelow(source.folder);
      assert.equal(expected.size, 2001);
      assert.deepEqual(hashesBelow(join(restored.folder, "Träume & notes")), expected);
      restored.remove();

      const sent = heard.bodyBytes(PACKS);
      assert.ok(sent > LARGE_BYTES, `${sent} bytes of packs`);
      await page.getByRole("button", { name: "Another backup" }).click();
      await startBackup(page);
      await endOfBackup(page);
      assert.ok(heard.bodyBytes(PACKS) - sent < 20_000, "the second run has nothing to send");
      assert.equal(new Set(chunksStored(site)).size, chunksStored(site).length);

      const { writer } = site.vault.device;
      const told = Buffer.concat([heard.all(), ...filesBelow(site.data)]);
      assert.ok(told.includes(site.vault.vaultId), "it does hear what it may");
      for (const secret of [
        ...["canary-file-name", "a canary inside", "canary-plan", "Träume & notes", "file 1999.txt", "1:1999\n1:1999"],
        ...[PASSPHRASE, site.vault.recoveryIdentity],
        ...[writer.chunkIdKey, writer.chunkerKey, writer.metaKey],
        ...[writer.chunkIdKey, writer.chunkerKey, writer.metaKey].map((key) => key.toBase64()),
      ]) {
        assert.ok(!told.includes(secret), `the server has seen ${String(secret).slice(0, 20)}`);
      }
    } finally {
      source.remove();
    }
  });

  test("a reload in the middle costs nothing that was stored: it goes on by itself and stores no chunk twice", async () => {
    const before = new Set(chunksStored(site));
    await using tab = patient(await openWithProfile(site, "/backup"));
    const { page } = tab;
    await enrolHere(page);
    await folderFromDialogue(page, "films", [40 * MIB, 40 * MIB, 3 * MIB, 100]);
    using heard = listenIn();
    await page.getByRole("button", { name: "Choose a folder" }).click();
    await page.getByText("4 files").first().waitFor();
    // One pack gets through; what follows waits until the tab goes, so that there is a middle however fast the machine is.
    let packs = 0;
    await page.route(PACKS, (route) => (packs++ === 0 ? route.continue() : undefined));
    await startBackup(page);
    await page.getByRole("log").getByText("stored by the server").first().waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused. What was read already").waitFor();
    assert.ok(packs > 0, "the packs of the tab pass by here");
    const stored = chunksStored(site).length;
    await page.unroute(PACKS);
    await page.reload();
    await endOfBackup(page);
    await page.getByText("Goes on with a backup that was cut off").waitFor();

    const ids = chunksStored(site).filter((id) => !before.has(id));
    assert.ok(stored > before.size && ids.length > stored - before.size, "it was cut off in the middle");
    assert.equal(new Set(ids).size, ids.length, "no chunk is stored twice");
    // Three packs may be on their way when the tab goes.
    assert.ok(heard.bodyBytes(PACKS) < 84 * MIB + 3 * 17 * MIB, `${heard.bodyBytes(PACKS)} bytes`);
    const wanted = await page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("films");
      const hashes: [string, string][] = [];
      for await (const [name, handle] of folder.entries()) {
        const file = await (handle as FileSystemFileHandle).getFile();
        const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
        hashes.push([name, Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")]);
      }
      return hashes.sort();
    });
    const restored = await restoreByCli(site);
    assert.deepEqual([...hashesBelow(join(restored.folder, "films"))], wanted);
    restored.remove();
  });

  test("cancelled after a question, it makes no snapshot and can be begun again; a file that is gone is told of; forgetting forgets", async () => {
    await using tab = patient(await openWithProfile(site, "/backup"));
    const { page } = tab;
    const source = smallFiles(5, 2);
    try {
      await enrolHere(page);
      await folderFromDialogue(page, "big", [24 * MIB]);
      await page.getByRole("button", { name: "Choose a folder" }).click();
      await page.getByText("1 file,").waitFor();
      // It cannot be over before it is cancelled.
      await page.route(PACKS, () => undefined);
      await startBackup(page);
      await page.getByRole("button", { name: "Pause" }).click();
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("button", { name: "Cancel the backup" }).click();
      await page.getByText("The backup was cancelled").waitFor();
      await page.getByRole("cell", { name: "Cancelled" }).waitFor();
      await page.unroute(PACKS);

      await page.getByRole("button", { name: "Another backup" }).click();
      await page.getByRole("button", { name: "Do not back up big" }).click();
      await chooseFolder(page, source.folder);
      await page.getByText("5 files").first().waitFor();
      rmSync(join(source.folder, "d3"), { recursive: true });
      await startBackup(page);
      await page.getByText("Stored, but 1 file could not be read").waitFor();
      await page
        .getByRole("log")
        .getByText(/file 3.txt could not be read: it is gone/)
        .waitFor();

      await page.getByRole("button", { name: "Forget this browser" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Forget this browser" }).click();
      await page.getByText("Make this browser a device").first().waitFor();
    } finally {
      source.remove();
    }
  });

  test("a server that is away is waited for, a full quota and a revoked browser are told of with what to do next", async () => {
    const { vaultId } = site.vault;
    const params = { vault: vaultId };
    const socket = { socketPath: site.server.socketPath };
    const setQuota = (bytes: number | null) =>
      call(socket, JOB_ROUTES.changeVault, { params, body: { quota: { bytes, snapshots: null } } });
    await using tab = patient(await openWithProfile(site, "/backup"));
    const { page } = tab;
    const again = async () => {
      await page.getByRole("button", { name: "Another backup" }).click();
      await startBackup(page);
    };
    await enrolHere(page);
    await folderFromDialogue(page, "letters", [MIB]);
    await page.getByRole("button", { name: "Choose a folder" }).click();
    await page.getByText("1 file,").waitFor();
    await page.route(PACKS, (route) => route.abort());
    await startBackup(page);
    await page.getByText("The backup goes on by itself as soon as the server answers again").waitFor();
    await page.unroute(PACKS);
    await endOfBackup(page);

    await setQuota(1);
    await folderFromDialogue(page, "letters", [MIB]);
    await again();
    const note = page.getByRole("region", { name: /^Backup “/ }).getByRole("alert");
    const advice = note.getByText("Raise the limit under Vaults");
    await advice.waitFor();
    await assertAccessible(page, "backup, quota full");
    await setQuota(null);
    await note.getByRole("button", { name: "Try again" }).click();
    await advice.waitFor({ state: "hidden" });
    await endOfBackup(page);

    const { devices } = await call(socket, VAULT_ROUTES.deviceList, { params });
    const signer = await signerOfKey(site.vault.device.signingKey);
    for (const { device } of devices) {
      if (device === signer.device) continue;
      const statement = await signStatement(signer, vaultId, "device-revoke", { device });
      await call(socket, VAULT_ROUTES.statement, {
        params,
        body: { statement: statementMessage(statement), keyslotFile: null },
      });
    }
    await again();
    await note.getByText("somebody revoked it").waitFor();
    assert.equal(await note.getByRole("button", { name: "Try again" }).count(), 0);
  });
});

function filesBelow(folder: string): Buffer[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}
