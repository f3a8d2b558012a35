// The whole backup path over a store that stops at its n-th operation, for every n, in both ways of dying: what was acknowledged reads
// back byte for byte, nothing is wrong but orphans, and the next run sends only what had not arrived.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SnapshotId } from "../../src/core/ids.ts";
import { readFile } from "../../src/engine/reader/file-content.ts";
import { openReader } from "../../src/engine/reader/reader.ts";
import { rootOf } from "../../src/engine/reader/search.ts";
import { deviceKeys, openSnapshot } from "../../src/engine/reader/snapshots.ts";
import { walkTree } from "../../src/engine/reader/walk.ts";
import { faultStore, stopAfter } from "../../src/storage/fault-store.ts";
import { memoryStore } from "../../src/storage/memory-store.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import type { LocalVault } from "../../src/vault/local-vault.ts";
import { createVault, openVault } from "../../src/vault/open-vault.ts";
import { ENTRY } from "../../src/wire/v4/tree-types.ts";
import { encodeVaultRecord } from "../../src/wire/v4/vault-record.ts";
import { type BackupRig, makeRig } from "../backup-rig.ts";
import { platform } from "../platform.ts";
import { makeDigestsPrompt } from "../prompt-digest.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { deviceAdd, hashOf, signed, type TestDisk, testDisk } from "../vault/kit.ts";

makeDigestsPrompt();

const FILES = 6;
const FILE_BYTES = 900_000;
const OPTIONS = { packBytes: 100_000, level: 0 };

describe("a backup over a store that stops", () => {
  for (const mode of ["clean", "torn"] as const) {
    test(`at every operation (${mode})`, async () => {
      const total = await operationsOfARun();
      for (let limit = 0; limit < total; limit++) await dieAt(limit, mode);
    });
  }
});

async function operationsOfARun(): Promise<number> {
  const { rig, disk } = await newSite();
  const counter = stopAfter(Number.POSITIVE_INFINITY);
  const location = { store: faultStore(memoryStore(disk), counter), indexPath: disk.indexPath };
  const vault = await openVault(location, { beforeCommit: () => counter.step() });
  fill(rig, 2);
  await rig.run({ vault, ...OPTIONS });
  await vault.close();
  disk.remove();
  assert.ok(counter.operations > 20, `a run has ${counter.operations} operations`);
  return counter.operations;
}

async function dieAt(limit: number, mode: "clean" | "torn"): Promise<void> {
  const { rig, disk } = await newSite();
  const first = contentsOf(rig);
  const acknowledged = new Map<SnapshotId, Map<string, string>>();
  for (const { id } of await withVault(disk, (vault) => vault.snapshots())) acknowledged.set(id, first);

  fill(rig, 2);
  const counter = stopAfter(limit);
  const dying = await openVault(
    { store: faultStore(memoryStore(disk), counter, { mode }), indexPath: disk.indexPath },
    { beforeCommit: () => counter.step() },
  );
  try {
    const { snapshot } = await rig.run({ vault: dying, ...OPTIONS });
    assert.ok(snapshot);
    acknowledged.set(snapshot, contentsOf(rig));
  } catch {
    assert.ok(counter.isStopped, `operation ${limit}: failed before it was stopped`);
  }
  await dying.close().catch(() => undefined);

  await withVault(disk, async (vault) => {
    const where = `stopped at ${limit} (${mode})`;
    for (const [id, contents] of acknowledged) assert.deepEqual(await readBack(rig, vault, id), contents, where);
    const { snapshot } = await rig.run({ vault, ...OPTIONS });
    assert.deepEqual(await readBack(rig, vault, snapshot!), contentsOf(rig), where);
    const again = await rig.run({ vault, ...OPTIONS, force: true });
    assert.equal(again.progress.newBytes, 0, `${where}: a forced run after it sends nothing again`);
    await vaultAdmin(vault).collectGarbage({});
    assert.deepEqual((await vaultAdmin(vault).check({ readData: true })).problems, [], where);
  });
  disk.remove();
}

/** A vault in memory with one acknowledged snapshot. */
async function newSite(): Promise<{ rig: BackupRig; disk: TestDisk }> {
  const rig = await makeRig();
  const disk = testDisk();
  const { vaultId } = rig.vault;
  const record = await encodeVaultRecord({ vault: vaultId, createdAt: 0, chunker: 1 });
  const statements = [await signed(vaultId, rig.signer, deviceAdd(rig.signer, "test"))];
  const location = { store: memoryStore(disk), indexPath: disk.indexPath };
  const vault = await createVault(location, { record: record.bytes, statements, keyslotFiles: [] });
  fill(rig, 1);
  await rig.run({ vault, ...OPTIONS });
  await vault.close();
  return { rig, disk };
}

async function withVault<T>(disk: TestDisk, use: (vault: LocalVault) => Promise<T>): Promise<T> {
  const vault = await openVault({ store: memoryStore(disk), indexPath: disk.indexPath });
  try {
    return await use(vault);
  } finally {
    await vault.close();
  }
}

/** Half of the files stay the same from one generation to the next. */
function fill(rig: BackupRig, generation: number): void {
  for (let i = 0; i < FILES; i++) {
    const seed = i % 2 === 0 ? i : i + 100 * generation;
    if (generation === 1 || i % 2 === 1) rig.disk.write(`/data/file-${i}`, pseudoRandomBytes(seed + 1, FILE_BYTES));
  }
}

function contentsOf(rig: BackupRig): Map<string, string> {
  const out = new Map<string, string>();
  for (const [path, node] of rig.disk.nodes) if (node.type === ENTRY.file) out.set(path, hashOf(node.content));
  return out;
}

async function readBack(rig: BackupRig, vault: LocalVault, id: SnapshotId): Promise<Map<string, string>> {
  const reader = openReader({ vault, secrets: rig.secrets, platform });
  const out = new Map<string, string>();
  const row = (await vault.snapshots()).find((snapshot) => snapshot.id === id);
  assert.ok(row, "an acknowledged snapshot is gone");
  for await (const { path, entry, error } of walkTree(
    reader,
    rootOf(await openSnapshot(reader, row, await deviceKeys(reader))),
  )) {
    if (error) throw error;
    if (entry.type !== ENTRY.file) continue;
    const pieces: Uint8Array[] = [];
    for await (const piece of readFile(reader, { path, entry })) pieces.push(piece.slice());
    out.set(path, hashOf(Buffer.concat(pieces)));
  }
  return out;
}
