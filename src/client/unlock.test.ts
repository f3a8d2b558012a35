import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bytes, toHex } from "../core/bytes.ts";
import { systemRandom } from "../core/clock.ts";
import { type ErrorCode, isAppError } from "../core/errors.ts";
import type { KeyslotId, VaultId } from "../core/ids.ts";
import { sha256 } from "../core/sha256.ts";
import { type KeyslotLock, sealKeyslot } from "../crypto/keyslot.ts";
import { generateSecrets } from "../crypto/secrets.ts";
import { generateRecoveryKey } from "../engine/enrol/new-vault.ts";
import { parseIdentities, recoveryKit } from "../engine/unlock.ts";
import type { KeyslotRow } from "../wire/v4/vault-port.ts";
import { nativeScryptRecipient } from "./scrypt-identity.ts";
import { unlock } from "./unlock.ts";

const VAULT = "0a".repeat(16) as VaultId;
const LOG_N = 4;
const secrets = await generateSecrets(systemRandom);
const recovery = await generateRecoveryKey(systemRandom);
const stranger = await generateRecoveryKey(systemRandom);

type Slot = { readonly row: KeyslotRow; readonly file: Bytes };

async function slotOf(kind: KeyslotRow["kind"], lock: KeyslotLock, of = secrets, vault = VAULT): Promise<Slot> {
  const file = await sealKeyslot(of, vault, lock, nativeScryptRecipient);
  const id = toHex((await sha256(file)).subarray(0, 16)) as KeyslotId;
  return { row: { id, kind, label: kind, addedAt: 1 }, file };
}

const first = await slotOf("passphrase", { passphrase: "first", logN: LOG_N });
const second = await slotOf("passphrase", { passphrase: "second", logN: LOG_N });
const byKey = await slotOf("recovery", recovery);
const ALL = [first, second, byKey];

function vaultWith(slots: readonly Slot[], opened: string[] = []) {
  return {
    vaultId: VAULT,
    keyslots: async () => slots.map(({ row }) => row),
    keyslotFile: async (id: KeyslotId) => {
      const { row, file } = slots.find((slot) => slot.row.id === id)!;
      opened.push(row.kind);
      return file;
    },
  };
}

function damaged({ row, file }: Slot): Slot {
  return { row, file: file.with(60, file[60]! ^ 1) as Bytes };
}

const code = (expected: ErrorCode) => (error: unknown) => isAppError(error, expected);

describe("unlocking", () => {
  test("opens with any of the passphrases, or with the recovery key", async () => {
    const vault = vaultWith(ALL);
    for (const key of [
      { passphrase: "first" },
      { passphrase: async () => "second" },
      { identity: recovery.identity },
      { identity: `# two\n${stranger.identity}\n${recovery.identity.toLowerCase()}\n` },
      { identity: stranger.identity, passphrase: "second" },
      { passphrase: "first", writer: secrets.writer },
    ]) {
      assert.deepEqual(await unlock({ vault, ...key }), secrets);
    }
    const many = await Promise.all(["first", "second", "first"].map((passphrase) => unlock({ vault, passphrase })));
    assert.deepEqual(many, [secrets, secrets, secrets]);
  });

  test("asks keys before passphrases, and for a passphrase only when there is a use for it", async () => {
    const opened: string[] = [];
    const never = async () => assert.fail("a passphrase was asked for");
    await unlock({ vault: vaultWith(ALL, opened), identity: recovery.identity, passphrase: never });
    assert.deepEqual(opened, ["recovery"]);
    await assert.rejects(unlock({ vault: vaultWith([byKey]), passphrase: never }), code("passphrase_wrong"));
  });

  test("tells what is wrong with what was given, without repeating it", async () => {
    const vault = vaultWith(ALL);
    await assert.rejects(unlock({ vault }), code("passphrase_missing"));
    for (const key of [{ passphrase: "thirdpass" }, { identity: stranger.identity }, { passphrase: "" }]) {
      await assert.rejects(unlock({ vault, ...key }), (error) => {
        assert.ok(isAppError(error, "passphrase_wrong"));
        assert.ok(!/thirdpass|SECRET/.test(JSON.stringify([error.message, error.context])));
        return true;
      });
    }
    for (const identity of ["", "# nothing\n", "age1xyz", `${recovery.identity}X`, "AGE-SECRET-KEY-1"]) {
      await assert.rejects(unlock({ vault, identity }), code("key_invalid"), identity);
    }
    await assert.rejects(unlock({ vault: vaultWith([]), passphrase: "first" }), code("passphrase_wrong"));
  });

  test("passes over a damaged keyslot, and tells of it when no other opens", async () => {
    const slots = [damaged(first), second, damaged(byKey)];
    assert.deepEqual(await unlock({ vault: vaultWith(slots), passphrase: "second" }), secrets);
    await assert.rejects(unlock({ vault: vaultWith(slots), passphrase: "first" }), code("record_corrupt"));
    await assert.rejects(unlock({ vault: vaultWith(slots), identity: recovery.identity }), code("record_corrupt"));
  });

  test("refuses keyslots of another vault, and other secrets than the machine has", async () => {
    const moved = await slotOf("passphrase", { passphrase: "first", logN: LOG_N }, secrets, "0b".repeat(16) as VaultId);
    await assert.rejects(unlock({ vault: vaultWith([moved]), passphrase: "first" }), code("vault_mismatch"));
    const planted = await slotOf("recovery", recovery, await generateSecrets(systemRandom));
    const { writer } = secrets;
    await assert.rejects(
      unlock({ vault: vaultWith([planted]), identity: recovery.identity, writer }),
      code("vault_mismatch"),
    );
    assert.deepEqual(
      await unlock({ vault: vaultWith([planted, byKey]), identity: recovery.identity, writer }),
      secrets,
    );
  });
});

test("the recovery kit names the vault, and is an identity file as it stands", () => {
  const kit = recoveryKit({
    vaultId: VAULT,
    identity: recovery.identity,
    createdAt: 0,
    address: "/mnt/a b\nAGE-SECRET-KEY-1",
  });
  assert.deepEqual(parseIdentities(kit), [recovery.identity]);
  assert.deepEqual(parseIdentities(kit.replaceAll("\n", "\r\n").replace(/^/gm, "  ")), [recovery.identity]);
  assert.match(kit, /Vault: {4}(0a){16}\n# Address: {2}\/mnt\/a b\?AGE-SECRET-KEY-1\n# Made: {5}1970-01-01\n/);
  assert.ok(kit.split("\n").every((line) => line.length <= 100));
});
