// Every bit of every stored object matters: whichever one is flipped, the keyless check names its object, and reading gives the right
// bytes or refuses, never wrong ones.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../../src/core/errors.ts";
import { readFile } from "../../src/engine/reader/file-content.ts";
import { openReader } from "../../src/engine/reader/reader.ts";
import { resolveSnapshot } from "../../src/engine/reader/resolve.ts";
import { rootOf } from "../../src/engine/reader/search.ts";
import { walkTree } from "../../src/engine/reader/walk.ts";
import { memoryStore } from "../../src/storage/memory-store.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import { createVault, openVault } from "../../src/vault/open-vault.ts";
import { ENTRY } from "../../src/wire/v4/tree-types.ts";
import { encodeVaultRecord } from "../../src/wire/v4/vault-record.ts";
import { type BackupRig, makeRig } from "../backup-rig.ts";
import { platform } from "../platform.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { deviceAdd, hashOf, keyslotAdd, prng, signed, type TestDisk, testDisk } from "../vault/kit.ts";

/** Flips in each object, spread over its bytes; objects smaller than that get one in every byte. `FLIPS=1000` looks closer. */
const FLIPS_PER_OBJECT = Number(process.env.FLIPS ?? 32);

test("a flipped bit anywhere is named, and never becomes wrong bytes", async () => {
  const { rig, disk, truth } = await newSite();
  const random = prng(20_260);
  try {
    for (const [key, bytes] of [...disk.objects]) {
      const step = Math.max(1, Math.floor(bytes.length / FLIPS_PER_OBJECT));
      for (let at = 0; at < bytes.length; at += step) {
        const position = Math.min(bytes.length - 1, at + random.below(step));
        const bit = random.below(8);
        bytes[position]! ^= 1 << bit;
        await mustNotice(rig, disk, truth, key, `${key} byte ${position} of ${bytes.length}, bit ${bit}`);
        bytes[position]! ^= 1 << bit;
      }
    }
  } finally {
    disk.remove();
  }
});

async function mustNotice(
  rig: BackupRig,
  disk: TestDisk,
  truth: ReadonlyMap<string, string>,
  key: string,
  where: string,
): Promise<void> {
  let vault: Awaited<ReturnType<typeof openVault>>;
  try {
    vault = await openVault({ store: memoryStore(disk), indexPath: disk.indexPath });
  } catch (error) {
    assert.ok(error instanceof AppError && key === "vault", where);
    return;
  }
  try {
    const { problems } = await vaultAdmin(vault).check({ readData: true });
    assert.ok(
      problems.some((problem) => problem.object === key),
      `${where}: not named in ${JSON.stringify(problems)}`,
    );
    await compare(rig, vault, truth, where);
  } finally {
    await vault.close();
  }
}

async function compare(
  rig: BackupRig,
  vault: Awaited<ReturnType<typeof openVault>>,
  truth: ReadonlyMap<string, string>,
  where: string,
): Promise<void> {
  const reader = openReader({ vault, secrets: rig.secrets, platform });
  try {
    for await (const { path, entry, error } of walkTree(reader, rootOf(await resolveSnapshot(reader, "latest")))) {
      if (error || entry.type !== ENTRY.file) continue;
      const pieces: Uint8Array[] = [];
      for await (const piece of readFile(reader, { path, entry })) pieces.push(piece.slice());
      assert.equal(hashOf(Buffer.concat(pieces)), truth.get(path), `${where}: wrong bytes in ${path}`);
    }
  } catch (error) {
    assert.ok(error instanceof AppError, `${where}: ${(error as Error).stack}`);
  }
}

async function newSite(): Promise<{ rig: BackupRig; disk: TestDisk; truth: Map<string, string> }> {
  const rig = await makeRig();
  const disk = testDisk();
  const { vaultId } = rig.vault;
  const record = await encodeVaultRecord({ vault: vaultId, createdAt: 0, chunker: 1 });
  const keyslot = pseudoRandomBytes(5, 200);
  const statements = [
    await signed(vaultId, rig.signer, deviceAdd(rig.signer, "test")),
    await signed(vaultId, rig.signer, keyslotAdd(keyslot, "test")),
  ];
  const location = { store: memoryStore(disk), indexPath: disk.indexPath };
  const vault = await createVault(location, { record: record.bytes, statements, keyslotFiles: [keyslot] });
  rig.disk.write("/a/text", Buffer.from("words ".repeat(500)));
  rig.disk.write("/a/noise", pseudoRandomBytes(9, 5000));
  rig.disk.write("/b/small", Buffer.from("s"));
  // Its three or more chunks stand in lists of one and two.
  rig.disk.write("/b/listed", Buffer.from("a line that repeats\n".repeat(60_000)));
  await rig.run({ vault, listCutting: { direct: 1, min: 1, oneIn: 2, max: 2 } });
  await vault.close();
  const truth = new Map<string, string>();
  for (const [path, node] of rig.disk.nodes) if (node.type === ENTRY.file) truth.set(path, hashOf(node.content));
  return { rig, disk, truth };
}
