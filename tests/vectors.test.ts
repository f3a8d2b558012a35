// The golden vectors: the code makes exactly these bytes, and reads them back as what they were made of.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex, toHex } from "../src/core/bytes.ts";
import type { NameToken, VaultId } from "../src/core/ids.ts";
import { sha256 } from "../src/core/sha256.ts";
import { decodeDeviceFile, encodeDeviceFile } from "../src/crypto/device-file.ts";
import { invitationKeys, openInvitation } from "../src/crypto/invitation.ts";
import { openKeyslot } from "../src/crypto/keyslot.ts";
import { passkeyIdentity, windowPasskeys } from "../src/crypto/passkey.ts";
import { webPrimitives } from "../src/crypto/primitives.ts";
import { writerToJson } from "../src/crypto/secrets.ts";
import { openSessionKey } from "../src/crypto/session-key.ts";
import { verifySignature } from "../src/crypto/signature.ts";
import { openSnapshotInfo } from "../src/engine/snapshot-info.ts";
import { decodeChunkList } from "../src/wire/v4/chunk-list.ts";
import { decodeInviteCode } from "../src/wire/v4/invite-code.ts";
import { decodeLogEntry } from "../src/wire/v4/log-entry.ts";
import { applyLogEntry, emptyLogState } from "../src/wire/v4/log-state.ts";
import { decodeFooter } from "../src/wire/v4/pack-footer.ts";
import { decodeFrameHeader } from "../src/wire/v4/pack-frame.ts";
import { decodePackHeader } from "../src/wire/v4/pack-header.ts";
import { decodeTrailer } from "../src/wire/v4/pack-trailer.ts";
import { decodeRefs } from "../src/wire/v4/refs.ts";
import { decodeSnapshotRecord } from "../src/wire/v4/snapshot-record.ts";
import { STATE_HEADER_BYTES, stateHeaderFits } from "../src/wire/v4/state-file.ts";
import { decodeSegment } from "../src/wire/v4/tree.ts";
import { decodeVaultRecord } from "../src/wire/v4/vault-record.ts";
import { installAuthenticator } from "./fake-passkeys.ts";
import { GOLDEN, openGoldenBlock, readable, readableOwners, readableState, secretsOf } from "./golden.ts";
import { openStateBytes } from "./state-bytes.ts";
import block from "./vectors/block.json" with { type: "json" };
import invitation from "./vectors/invitation.json" with { type: "json" };
import keys from "./vectors/keys.json" with { type: "json" };
import log from "./vectors/log.json" with { type: "json" };
import packs from "./vectors/packs.json" with { type: "json" };
import records from "./vectors/records.json" with { type: "json" };
import refs from "./vectors/refs.json" with { type: "json" };
import sealing from "./vectors/sealing.json" with { type: "json" };
import stateFile from "./vectors/state-file.json" with { type: "json" };
import tree from "./vectors/tree.json" with { type: "json" };

const FILES: Readonly<Record<string, unknown>> = {
  invitation,
  keys,
  log,
  packs,
  records,
  refs,
  sealing,
  tree,
  block,
  "state-file": stateFile,
};

describe("the code makes these bytes", () => {
  assert.deepEqual(Object.keys(FILES).sort(), Object.keys(GOLDEN).sort());
  for (const [name, build] of Object.entries(GOLDEN)) {
    test(name, async () => assert.deepEqual(await build(FILES[name]), FILES[name]));
  }
});

describe("the code reads these bytes", () => {
  test("records", async () => {
    const { vaultRecord, snapshotInfo, snapshotRecord } = records;
    const decodedVault = readable(await decodeVaultRecord(fromHex(vaultRecord.bytes)));
    assert.deepEqual(decodedVault, { ...vaultRecord.record, id: vaultRecord.id });
    const decoded = await decodeSnapshotRecord(fromHex(snapshotRecord.bytes));
    assert.deepEqual(readable(decoded), { ...snapshotRecord.record, id: snapshotRecord.id });
    const [publicKey, statement] = [fromHex(snapshotRecord.publicKey), fromHex(snapshotRecord.statement)];
    assert.ok(await verifySignature(publicKey, statement, decoded.sig));
    const sessionKey = fromHex(snapshotInfo.sessionKey);
    const info = await openSnapshotInfo(webPrimitives, sessionKey, decoded.vault, decoded.session, decoded.info);
    assert.deepEqual(readable(info), snapshotInfo.info);
  });

  test("log", async () => {
    const state = emptyLogState();
    for (const { entry, bytes } of log.entries) {
      const decoded = await decodeLogEntry(fromHex(bytes));
      assert.deepEqual(readable(decoded), entry);
      applyLogEntry(state, decoded);
    }
    assert.deepEqual(readableState(state), log.state);
  });

  test("packs", async () => {
    const { vault, sessions, entries, header, frames, footer } = packs;
    assert.deepEqual(readable(decodePackHeader(fromHex(header))), { vaultId: vault, sessions });
    assert.deepEqual(readable(decodeFooter(fromHex(footer))), entries);
    frames.forEach(({ head }, i) => {
      const { length, counter, sessionIndex, kind } = entries[i]!;
      assert.deepEqual(decodeFrameHeader(fromHex(head)), { length, counter, sessionIndex, kind });
    });
    const { bytes, ...trailer } = packs.trailer;
    assert.deepEqual(await decodeTrailer(fromHex(bytes)), trailer);
    const { publicKey, statement, signature } = packs.firstBlock;
    assert.ok(await verifySignature(fromHex(publicKey), fromHex(statement), fromHex(signature)));
  });

  test("refs", () => {
    for (const { refs: blockNos, bytes } of refs) assert.deepEqual(decodeRefs(fromHex(bytes)), blockNos);
  });

  test("sealing", async () => {
    for (const { nonce, aad, sealed } of sealing.cases) {
      const opened = await webPrimitives.gcmOpen(fromHex(sealing.key), fromHex(nonce), fromHex(aad), fromHex(sealed));
      assert.equal(opened && toHex(opened), sealing.plaintext);
    }
  });

  test("keyslots, for their own vault only", async () => {
    const { keyslot, recoveryKeyslot } = keys;
    const vault = keyslot.vault as VaultId;
    const secrets = secretsOf(keys);
    const [file, recoveryFile] = [keyslot.file, recoveryKeyslot.file].map((text) => Uint8Array.fromBase64(text));
    const passphrase = { passphrase: keyslot.passphrase };
    const identity = { identity: recoveryKeyslot.identity };
    assert.deepEqual(await openKeyslot(file!, vault, passphrase), secrets);
    assert.deepEqual(await openKeyslot(recoveryFile!, vault, identity), secrets);
    assert.equal(await openKeyslot(file!, vault, { passphrase: "wrong" }), undefined);
    assert.equal(await openKeyslot(file!, vault, identity), undefined);
    assert.equal(await openKeyslot(recoveryFile!, vault, passphrase), undefined);
    assert.equal(await openKeyslot(recoveryFile!, vault, { identity: secrets.identity }), undefined);
    await assert.rejects(openKeyslot(file!, "00".repeat(16) as VaultId, passphrase), { code: "vault_mismatch" });
  });

  test("keyslots of passkeys", async () => {
    const { prfSecret, file } = keys.passkeyKeyslot;
    const authenticator = installAuthenticator(fromHex(prfSecret), new Uint8Array(16));
    try {
      const key = { identity: passkeyIdentity(windowPasskeys) };
      const vault = keys.keyslot.vault as VaultId;
      assert.deepEqual(await openKeyslot(Uint8Array.fromBase64(file), vault, key), secretsOf(keys));
    } finally {
      authenticator.restore();
    }
  });

  test("session keys", async () => {
    const { identity, key, file } = keys.sessionKey;
    assert.equal(toHex(await openSessionKey(Uint8Array.fromBase64(file), identity)), key);
  });

  test("device files", async () => {
    assert.equal(encodeDeviceFile(await decodeDeviceFile(keys.deviceFile)), keys.deviceFile);
  });

  test("invitations", async () => {
    const { key, lookup, token, vault, sealed, address, pin, codes, writer } = invitation;
    const made = await invitationKeys(fromHex(key));
    assert.deepEqual(readable(made), { lookup, token });
    const opened = await openInvitation(fromHex(key), vault as VaultId, fromHex(sealed));
    assert.deepEqual(writerToJson(opened), writer);
    const [pinned, open] = codes.map(({ code }) => decodeInviteCode(code));
    assert.deepEqual(readable(pinned), { vault, key, pin, address });
    assert.deepEqual(readable(open), { vault, key, pin: null, address });
  });

  test("tree segments", () => {
    const { entries, owners } = decodeSegment(fromHex(tree.segment));
    assert.deepEqual(readable(entries), tree.entries);
    assert.deepEqual(readableOwners(owners), tree.owners);
    assert.deepEqual(decodeSegment(fromHex(tree.empty)).entries, []);
  });

  test("chunk lists", () => {
    const { chunkIds, lengths, covers, bytes } = tree.chunkList;
    assert.deepEqual(readable(decodeChunkList(fromHex(bytes), covers)), { chunkIds, lengths });
  });

  test("state files", () => {
    const bytes = fromHex(stateFile.file);
    const header = bytes.subarray(0, STATE_HEADER_BYTES);
    assert.ok(stateHeaderFits(header, stateFile.vault as VaultId, stateFile.plan as NameToken));
    const { cursor, tail } = openStateBytes(bytes.subarray(STATE_HEADER_BYTES));
    assert.deepEqual(tail, stateFile.tail);
    for (const item of stateFile.items) {
      assert.ok(cursor.next());
      const { kind, name, inode, entry, refs: list } = cursor;
      assert.deepEqual(kind === 1 ? { kind, name } : readable({ kind, name, inode, entry, refs: list }), item);
    }
    assert.ok(!cursor.next());
  });

  test("blocks", async () => {
    for (const sealed of [block.raw, block.zstd]) {
      assert.equal(toHex(await sha256(fromHex(sealed.sealed))), sealed.blockId);
      assert.deepEqual(readable(await openGoldenBlock(sealed)), block.chunks);
    }
    assert.ok(block.zstd.sealed.length < block.raw.sealed.length);
  });
});
