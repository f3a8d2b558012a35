// Several real processes on one vault folder, one of them killed in the middle, collections running all the while.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fromHex } from "../../src/core/bytes.ts";
import type { ChunkId, SnapshotId, VaultId } from "../../src/core/ids.ts";
import { generateDeviceKey, importSigner } from "../../src/crypto/signature.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import { createVault, openVault } from "../../src/vault/open-vault.ts";
import { encodeVaultRecord } from "../../src/wire/v4/vault-record.ts";
import { endOf, followed } from "../child.ts";
import { deviceAdd, readBack, signed, type TestBlock } from "./kit.ts";

type Line = { id: SnapshotId; chunkIds: string[][]; hashes: string[] };

const PROGRAM = join(import.meta.dirname, "backup-process.ts");

test("backups from several processes, a kill -9 and collections get along", async () => {
  const folder = join(await mkdtemp(join(tmpdir(), "cb-processes-")), "vault");
  const { pkcs8 } = await generateDeviceKey();
  const device = await importSigner(pkcs8);
  const vaultId = "5a".repeat(16) as VaultId;
  const record = await encodeVaultRecord({ vault: vaultId, createdAt: 1, chunker: 1 });
  const statements = [await signed(vaultId, device, deviceAdd(device, "all"))];
  const vault = await createVault(folder, { record: record.bytes, statements, keyslotFiles: [] });

  const acknowledged: Line[] = [];
  const key = Buffer.from(pkcs8).toString("base64");
  const start = async (seed: number, runs: number, killAfter: number): Promise<number | null> => {
    const args = [PROGRAM, folder, key, String(seed), String(runs)];
    const child = followed(spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] }));
    let lines = 0;
    createInterface(child.stdout).on("line", (line) => {
      acknowledged.push(JSON.parse(line));
      lines++;
      if (lines === killAfter) setTimeout(() => child.kill("SIGKILL"), 3 * (seed % 10));
    });
    return endOf(child);
  };
  const children = [start(1, 6, 99), start(2, 6, 99), start(13, 1000, 2), start(24, 1000, 4)];
  let collecting = true;
  const collections = (async () => {
    while (collecting) {
      await vaultAdmin(vault).collectGarbage({ smallPackBytes: 1 << 20 });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const codes = await Promise.all(children).finally(() => {
    collecting = false;
  });
  await collections;
  assert.deepEqual(codes, [0, 0, null, null]);
  await vault.close();

  const reopened = await openVault(folder);
  assert.ok(acknowledged.length >= 18);
  const ids = new Set((await reopened.snapshots()).map(({ id }) => id));
  for (const { id, chunkIds, hashes } of acknowledged) {
    assert.ok(ids.has(id));
    const blocks = chunkIds.map(
      (block) => ({ chunkIds: block.map((hex) => fromHex(hex) as ChunkId) }) as unknown as TestBlock,
    );
    assert.deepEqual(await readBack(reopened, blocks), hashes);
  }
  const { problems } = await vaultAdmin(reopened).check({ readData: true });
  assert.deepEqual(
    problems.filter(({ code }) => code !== "unexpected"),
    [],
  );
  await reopened.close();
  await rm(join(folder, ".."), { recursive: true });
});
