// A device of the vault that knows what another one is going to store, and claims the names of those pieces for garbage before. In the
// group that all are in from the start this is noticed, and its author named; once it is set apart nobody relies on what it brought.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { restoreSnapshot } from "../../src/client/restore/restore.ts";
import { concatBytes, fromHex, toHex } from "../../src/core/bytes.ts";
import { isAppError } from "../../src/core/errors.ts";
import type { BlockId, SessionId } from "../../src/core/ids.ts";
import { sha256 } from "../../src/core/sha256.ts";
import { sealSessionKey } from "../../src/crypto/session-key.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import { blockPayload, sealBlock } from "../../src/engine/block.ts";
import { openReader } from "../../src/engine/reader/reader.ts";
import { resolveSnapshot } from "../../src/engine/reader/resolve.ts";
import { verifyContents } from "../../src/engine/reader/verify.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import type { TrustGroup } from "../../src/wire/v4/log-entry.ts";
import { type BlockEntry, blockStatement } from "../../src/wire/v4/pack.ts";
import { encodeFooter } from "../../src/wire/v4/pack-footer.ts";
import { encodeFrameHeader } from "../../src/wire/v4/pack-frame.ts";
import { encodePackHeader } from "../../src/wire/v4/pack-header.ts";
import { type BlockKind, KIND_DATA, KIND_TREE } from "../../src/wire/v4/vault-port.ts";
import { platform } from "../platform.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { hashesOfFiles, newSite, type Site } from "../remote/site.ts";
import { deviceAdd, newDevice, PLAN, signed, stream } from "../vault/kit.ts";

let site: Site;
let mallory: Signer;
let state: Uint8Array | undefined;

beforeEach(async () => {
  site = await newSite();
  for (let i = 0; i < 3; i++) site.rig.disk.write(`/home/ann/${i}`, pseudoRandomBytes(20 + i, 300_000));
  // What she is going to store: everything, the folders too.
  await site.rig.run({ level: 0 });
  state = undefined;
  mallory = await newDevice();
  await apply(mallory, deviceAdd(mallory, "mallory"));
  await claimEverything();
});

afterEach(() => site.remove());

async function apply(by: Signer, event: Parameters<typeof signed>[2]): Promise<void> {
  const { vault } = site.server;
  await vaultAdmin(vault).apply(await signed(vault.vaultId, by, event));
}

const setGroup = (group: TrustGroup) =>
  apply(site.rig.signer, { type: "device-trust", body: { device: mallory.device, group } });

/** One pack of blocks that open, are signed, and hold something else than they say. */
async function claimEverything(): Promise<void> {
  const { vault } = site.server;
  const { writer } = site.rig.secrets;
  const session = "e1".repeat(16) as SessionId;
  await vault.openSession({ session, device: mallory.device, plan: PLAN, base: undefined });
  const key = pseudoRandomBytes(9, 32);
  const sealedKey = await sealSessionKey(key, writer.recipient);
  const parts: Uint8Array[] = [encodePackHeader(vault.vaultId, [{ session, device: mallory.device, sealedKey }])];
  const entries: BlockEntry[] = [];
  for (const kind of [KIND_DATA, KIND_TREE] as const) {
    const chunkIds = concatBytes(namesOf(kind));
    const garbage = Array.from({ length: chunkIds.length / 32 }, (_, i) => pseudoRandomBytes(i, 100));
    const context = { vaultId: fromHex(vault.vaultId), sessionId: fromHex(session), kind, counter: kind };
    const { sealed, blockId } = await sealBlock(platform, key, context, blockPayload(garbage), 0);
    const statement = blockStatement(vault.vaultId, session, kind, kind, blockId as BlockId, await sha256(chunkIds));
    const signature = await mallory.sign(statement);
    parts.push(encodeFrameHeader({ length: sealed.length, counter: kind, sessionIndex: 0, kind }));
    const offset = concatBytes(parts).length;
    parts.push(sealed);
    const shape = { offset, length: sealed.length, counter: kind, sessionIndex: 0, kind };
    entries.push({ ...shape, blockId: blockId as BlockId, signature, chunkIds });
  }
  await vault.putPack(session, stream(concatBytes([...parts, encodeFooter(entries)]), 4096));
}

function namesOf(kind: BlockKind): Uint8Array[] {
  const { index, blocks } = site.rig.vault.stored;
  return [...index].flatMap(([id, blockNo]) => (blocks.get(blockNo)?.location.kind === kind ? [fromHex(id)] : []));
}

async function backUp(): Promise<void> {
  site.rig.state = state;
  await site.rig.run({ vault: site.server.vault, level: 0 });
  state = site.rig.state;
}

const reader = () => openReader({ vault: site.server.vault, secrets: site.rig.secrets, platform });
const verify = async () => (await verifyContents({ reader: reader(), readData: true })).problems;
const readAll = async () => hashesOfFiles(await site.rig.readBack("latest", reader()));

test("in the group of all, garbage is noticed, and names its author; set apart, the next backup is whole", async () => {
  await backUp();
  assert.ok((await verify()).some(({ code }) => code === "chunk_corrupt"));
  await assert.rejects(readAll(), (error: Error) => {
    assert.ok(isAppError(error, "chunk_corrupt"));
    return error.message.includes(mallory.device.slice(0, 8));
  });

  await setGroup(null);
  await backUp();
  assert.deepEqual(await readAll(), site.truth());
  const [first, second] = await site.server.vault.snapshots();
  const hurt = await verify();
  assert.ok(hurt.length > 0 && hurt.every(({ snapshot }) => snapshot === first!.id && second!.id !== first!.id));
});

test("verify names who has stored a piece that is another", async () => {
  // Only files this time: the folders are there already, so the walk comes to them.
  await setGroup(null);
  await backUp();
  await setGroup("");
  site.rig.disk.write("/home/ann/later", pseudoRandomBytes(20, 300_000));
  state = undefined;
  await backUp();
  const stored = (await verify()).filter(({ object }) => object.startsWith("block"));
  assert.ok(stored.length > 0);
  for (const { object } of stored) {
    assert.match(object, new RegExp(`^block \\d+, stored by mallory \\(${mallory.device.slice(0, 8)}\\)$`));
  }
});

test("a dry run counts what the device would have to send", async () => {
  const wouldSend = async () => {
    site.rig.state = undefined;
    const { progress } = await site.rig.run({ vault: site.server.vault, level: 0, dryRun: true });
    return progress.newBytes;
  };
  assert.equal(await wouldSend(), 0);
  await setGroup(null);
  assert.ok((await wouldSend()) > 900_000);
  await backUp();
  assert.equal(await wouldSend(), 0);
});

test("so it does where the last backup rests on what others had stored, under the groups of now", async () => {
  await backUp();
  const dry = async () => {
    site.rig.state = state;
    const { progress } = await site.rig.run({ vault: site.server.vault, level: 0, dryRun: true });
    return progress;
  };
  assert.deepEqual([(await dry()).newBytes, (await dry()).unchangedFiles], [0, 3]);
  await setGroup(null);
  const { newBytes, changedFiles, newFiles } = await dry();
  assert.ok(newBytes > 900_000);
  site.rig.state = state;
  const { progress } = await site.rig.run({ vault: site.server.vault, level: 0 });
  state = site.rig.state;
  assert.deepEqual([newBytes, changedFiles, newFiles], [progress.newBytes, progress.changedFiles, progress.newFiles]);
  assert.deepEqual([(await dry()).newBytes, (await dry()).unchangedFiles], [0, 3]);
});

test("what a device that is set apart claims is never what a restore gets", async () => {
  await setGroup(null);
  await backUp();
  assert.deepEqual(await verify(), []);
  assert.deepEqual(await readAll(), site.truth());
  const target = mkdtempSync(join(tmpdir(), "hostile-device-"));
  try {
    const snapshot = await resolveSnapshot(reader(), "latest");
    const result = await restoreSnapshot({ reader: reader(), snapshot, target, workers: 1 });
    assert.equal(result.problems, 0);
    for (const [path, hash] of site.truth()) {
      assert.equal(toHex(await sha256(readFileSync(join(target, path)))), hash);
    }
  } finally {
    rmSync(target, { recursive: true });
  }
});
