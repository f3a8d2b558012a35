import assert from "node:assert/strict";
import { test } from "node:test";
import { nativeScryptIdentity } from "../../client/scrypt-identity.ts";
import { systemClock, systemRandom } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import { openKeyslot } from "../../crypto/keyslot.ts";
import { verifySignature } from "../../crypto/signature.ts";
import { decodeLogEvent, logStatement } from "../../wire/v4/log-entry.ts";
import { decodeVaultRecord } from "../../wire/v4/vault-record.ts";
import type { BrowserDevice, DeviceStore } from "./device-store.ts";
import { prepareVault, sendVault, vaultMessage } from "./make-vault.ts";

const wish = { name: "home", passphrase: "correct horse", deviceName: "Chromium", logN: 10 };
const at = { clock: systemClock, random: systemRandom };

/** As much of the store as making a vault needs. */
function memoryStore() {
  const devices = new Map<VaultId, BrowserDevice>();
  const store: Pick<DeviceStore, "saveDevice" | "forget"> = {
    saveDevice: async (device) => void devices.set(device.vault, device),
    forget: async (vault) => {
      devices.delete(vault);
      return [];
    },
  };
  return { devices, store: store as DeviceStore };
}

test("passphrase and recovery key open it, and its first device has signed everything", async () => {
  const prepared = await prepareVault(wish, at);
  const { vaultId, contents, device } = prepared;
  const [byPassphrase, byRecovery] = contents.keyslotFiles;
  const opened = await openKeyslot(
    byPassphrase!,
    vaultId,
    { passphrase: wish.passphrase },
    { passphraseIdentity: nativeScryptIdentity },
  );
  assert.deepEqual(opened?.writer, device.writer);
  assert.deepEqual(await openKeyslot(byRecovery!, vaultId, { identity: prepared.recoveryIdentity }), opened);
  assert.equal((await decodeVaultRecord(contents.record)).vault, vaultId);

  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", device.signingKey.publicKey));
  for (const statement of contents.statements) {
    const { type, body } = await decodeLogEvent(statement.type, statement.body);
    assert.ok(await verifySignature(publicKey, logStatement(vaultId, type as never, body as never), statement.sig!));
  }
});

test("what is sent holds neither passphrase nor keys", async () => {
  const prepared = await prepareVault(wish, at);
  const { chunkIdKey, metaKey, chunkerKey } = prepared.device.writer;
  const body = vaultMessage(prepared);
  const sent = Buffer.concat([body.record, ...body.keyslotFiles, Buffer.from(JSON.stringify(body.statements))]);
  for (const secret of [
    chunkIdKey,
    metaKey,
    chunkerKey,
    Buffer.from(wish.passphrase),
    Buffer.from(prepared.recoveryIdentity),
  ]) {
    assert.ok(!sent.includes(secret));
  }
});

test("this browser is kept as its device, with keys that nobody reads again", async () => {
  const { store, devices } = memoryStore();
  const prepared = await prepareVault(wish, at);
  const kept = await sendVault(store, prepared, async () => undefined);
  assert.equal(devices.get(prepared.vaultId), kept);
  for (const key of [kept.chunkIdKey, kept.metaKey, kept.signingKey.privateKey]) {
    assert.equal(key.extractable, false);
  }
});

test("a server that refuses leaves nothing here; one that may have heard leaves the device", async () => {
  const { store, devices } = memoryStore();
  const refuse = (code: "forbidden" | "server_unreachable") => async (): Promise<never> => {
    throw new AppError(code);
  };
  await assert.rejects(sendVault(store, await prepareVault(wish, at), refuse("forbidden")), { code: "forbidden" });
  assert.equal(devices.size, 0);
  await assert.rejects(sendVault(store, await prepareVault(wish, at), refuse("server_unreachable")));
  assert.equal(devices.size, 1);
});
