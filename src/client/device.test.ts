import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { systemClock, systemRandom } from "../core/clock.ts";
import { type ErrorCode, isAppError } from "../core/errors.ts";
import { importSigner } from "../crypto/signature.ts";
import { makeKeyslot } from "../engine/enrol/new-vault.ts";
import { signStatement } from "../engine/enrol/statements.ts";
import { checkHead } from "../engine/heads.ts";
import { vaultAdmin } from "../vault/admin.ts";
import { createVault, openVault } from "../vault/open-vault.ts";
import { decodeLogEntry } from "../wire/v4/log-entry.ts";
import { createNewVault, enrolDevice, exportWriter } from "./device.ts";
import { openHome } from "./home.ts";
import { nativeScryptRecipient } from "./scrypt-identity.ts";
import { unlock } from "./unlock.ts";
import { decodeWriterFile } from "./writer-file.ts";

const folder = await mkdtemp(join(tmpdir(), "cb-device-"));
test.after(() => rm(folder, { recursive: true, force: true }));

const code = (expected: ErrorCode) => (error: unknown) => {
  assert.ok(isAppError(error, expected), `${expected} expected, got ${error}`);
  return true;
};

const LOG_N = 4;
let count = 0;

async function newVault(create = createVault) {
  const home = openHome(join(folder, `home${++count}`));
  const dir = join(folder, `vault${count}`);
  const made = await createNewVault({
    create: (contents) => create(dir, contents),
    passphrase: "correct horse",
    home,
    deviceName: " laptop ",
    clock: systemClock,
    random: systemRandom,
    logN: LOG_N,
  });
  return { ...made, home, dir };
}

describe("a new vault", () => {
  test("has this machine as its device, and opens by passphrase and by recovery key", async () => {
    const { vault, vaultId, recoveryIdentity, home, dir } = await newVault();
    assert.equal(vault.vaultId, vaultId);
    const device = await home.requireDevice(vaultId);
    const [row, ...others] = await vault.devices();
    assert.deepEqual([row!.device, row!.name, row!.revoked, others.length], [device.device, "laptop", false, 0]);
    assert.deepEqual((await vault.keyslots()).map(({ kind }) => kind).sort(), ["passphrase", "recovery"]);
    const byPassphrase = await unlock({ vault, passphrase: "correct horse", writer: device.writer });
    assert.deepEqual(await unlock({ vault, identity: recoveryIdentity }), byPassphrase);
    assert.deepEqual(byPassphrase.writer, device.writer);
    assert.notEqual(byPassphrase.identity, recoveryIdentity);
    assert.deepEqual(await home.head(vaultId), { seq: 4, id: (await vault.head()).id });
    await vault.close();
    const again = await openVault(dir);
    assert.equal((await checkHead({ vault: again, home })).seq, 4);
    await again.close();
  });

  test("that could not be made leaves no device file", async () => {
    const failing = () => Promise.reject(new Error("no"));
    await assert.rejects(newVault(failing), /no/);
    assert.deepEqual(await openHome(join(folder, `home${count}`)).vaults(), []);
  });
});

describe("enrolling", () => {
  test("a writer file makes a further device, vouched for by this one", async () => {
    const { vault, vaultId, home } = await newVault();
    const { apply } = vaultAdmin(vault);
    const own = await home.requireDevice(vaultId);
    const file = await decodeWriterFile(await exportWriter({ home, vaultId, name: "nas", append: apply }));
    assert.deepEqual([file.vault, file.name, file.writer], [vaultId, "nas", own.writer]);
    assert.notEqual(file.device, own.device);
    assert.equal((await importSigner(file.signingKey)).device, file.device);
    assert.deepEqual((await vault.devices()).map(({ name }) => name).sort(), ["laptop", "nas"]);
    const [last] = await vault.logAfter((await checkHead({ vault, home })).seq - 1, 1);
    assert.equal((await decodeLogEntry(last!)).by, own.device);
    await vault.close();
  });

  test("a machine that can unlock introduces itself", async () => {
    const { vault, vaultId, recoveryIdentity } = await newVault();
    const { apply } = vaultAdmin(vault);
    const other = openHome(join(folder, "other"));
    const { writer } = await unlock({ vault, identity: recoveryIdentity });
    await assert.rejects(exportWriter({ home: other, vaultId, name: "x", append: apply }), code("not_enrolled"));
    await other.saveDevice(await enrolDevice({ vaultId, name: "second", writer, append: apply }));
    assert.ok((await vault.devices()).some(({ name }) => name === "second"));
    for (const name of ["", "  ", "a\nb", "é".repeat(128)]) {
      await assert.rejects(enrolDevice({ vaultId, name, writer, append: apply }), code("usage"));
    }
    await vault.close();
  });

  test("signed statements are taken as they are, changed or foreign ones are refused", async () => {
    const { vault, vaultId, home, recoveryIdentity } = await newVault();
    const { apply } = vaultAdmin(vault);
    const signer = await importSigner((await home.requireDevice(vaultId)).signingKey);
    const secrets = await unlock({ vault, identity: recoveryIdentity });
    const lock = { passphrase: "another", logN: LOG_N };
    const slot = await makeKeyslot({
      scrypt: nativeScryptRecipient,
      secrets,
      vaultId,
      signer,
      lock,
      kind: "passphrase",
      label: "ben",
    });
    await assert.rejects(
      apply({ ...slot.statement, body: { ...slot.statement.body, label: "eve" } }, slot.file),
      code("signature_bad"),
    );
    await apply(slot.statement, slot.file);
    assert.deepEqual(await unlock({ vault, passphrase: "another" }), secrets);
    const removal = await signStatement(signer, vaultId, "keyslot-remove", { id: slot.id });
    await apply(removal);
    await assert.rejects(unlock({ vault, passphrase: "another" }), code("passphrase_wrong"));
    await vault.close();
  });
});
