// Files whose chunks stand in lists, in a real vault: garbage collection keeps all that their snapshots rest on, lists included, also
// those that a later run only took over from its state.

import assert from "node:assert/strict";
import { test } from "node:test";
import { equalBytes } from "../../src/core/bytes.ts";
import type { RawPath } from "../../src/core/raw-path.ts";
import { readFile } from "../../src/engine/reader/file-content.ts";
import { openReader } from "../../src/engine/reader/reader.ts";
import { resolveSnapshot } from "../../src/engine/reader/resolve.ts";
import { requireEntry } from "../../src/engine/reader/tree-reader.ts";
import { verifyContents } from "../../src/engine/reader/verify.ts";
import { memoryStore } from "../../src/storage/memory-store.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import { createVault } from "../../src/vault/open-vault.ts";
import { encodeVaultRecord } from "../../src/wire/v4/vault-record.ts";
import { makeRig } from "../backup-rig.ts";
import { platform } from "../platform.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { deviceAdd, keyslotAdd, signed, testDisk } from "./kit.ts";

const MIB = 2 ** 20;
const listCutting = { direct: 4, min: 2, oneIn: 4, max: 6 };
const BIG = "/d/big" as RawPath;

test("collection and compaction leave lists and chunks of large files alone", async (t) => {
  const rig = await makeRig();
  const disk = testDisk();
  t.after(() => disk.remove());
  const { vaultId } = rig.vault;
  const record = await encodeVaultRecord({ vault: vaultId, createdAt: 0, chunker: 1 });
  const keyslot = pseudoRandomBytes(5, 200);
  const statements = [
    await signed(vaultId, rig.signer, deviceAdd(rig.signer, "test")),
    await signed(vaultId, rig.signer, keyslotAdd(keyslot, "test")),
  ];
  const location = { store: memoryStore(disk), indexPath: disk.indexPath };
  const vault = await createVault(location, { record: record.bytes, statements, keyslotFiles: [keyslot] });
  t.after(() => vault.close());
  const reader = () => openReader({ vault, secrets: rig.secrets, platform });
  const content = pseudoRandomBytes(1, 10 * MIB);

  const check = async (): Promise<void> => {
    const { info } = await resolveSnapshot(reader(), "latest");
    const found = await requireEntry(reader(), info, BIG);
    assert.equal(found.entry.indirect, true);
    let at = 0;
    for await (const piece of readFile(reader(), found)) {
      assert.ok(equalBytes(piece, content.subarray(at, at + piece.length)));
      at += piece.length;
    }
    assert.equal(at, content.length);
    assert.deepEqual((await verifyContents({ reader: reader(), readData: true })).problems, []);
    assert.deepEqual((await vaultAdmin(vault).check({ readData: true })).problems, []);
  };
  const forget = async (expression: string): Promise<void> => {
    const { row } = await resolveSnapshot(reader(), expression);
    await vaultAdmin(vault).apply(await signed(vaultId, rig.signer, { type: "remove", body: { snapshot: row.id } }));
  };
  const collect = () => vaultAdmin(vault).collectGarbage({ trashMs: 0 });

  rig.disk.write(BIG, content);
  for (let i = 0; i < 8; i++) rig.disk.write(`/d/other-${i}`, pseudoRandomBytes(i + 10, MIB));
  await rig.run({ vault, listCutting });
  // The second snapshot takes the large file over from the state; what it no longer has becomes garbage.
  for (let i = 0; i < 8; i++) rig.disk.remove(`/d/other-${i}`);
  const { opened } = await rig.run({ vault, listCutting });
  assert.deepEqual(opened, []);
  await forget("latest:2");
  const first = await collect();
  // Blocks that hold some of both stay whole, and how many there are is a matter of turns.
  assert.ok(first.freedBytes > 2 * MIB, `${first.freedBytes} bytes`);
  await check();

  // The third knows nothing of the others but finds all chunks and lists in the vault.
  const { progress } = await rig.run({ vault, listCutting, previous: undefined });
  assert.equal(progress.newBytes, 0);
  await forget("latest:2");
  await collect();
  await check();

  await forget("latest");
  const last = await collect();
  assert.ok(last.freedBytes > 10 * MIB, "nothing keeps it any more");
});
