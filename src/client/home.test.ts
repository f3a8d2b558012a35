import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type ErrorCode, isAppError } from "../core/errors.ts";
import type { NameToken, VaultId } from "../core/ids.ts";
import { silentLogger } from "../core/log.ts";
import { generateDeviceKey } from "../crypto/signature.ts";
import { type DeviceFile, openHome } from "./home.ts";

const folder = await mkdtemp(join(tmpdir(), "cb-home-"));
test.after(() => rm(folder, { recursive: true, force: true }));

const VAULT = "0a".repeat(16) as VaultId;
const OTHER = "0b".repeat(16) as VaultId;
const { pkcs8, device } = await generateDeviceKey();
const FILE: DeviceFile = {
  vault: VAULT,
  device,
  name: "ann's laptop",
  signingKey: pkcs8,
  writer: {
    chunkIdKey: new Uint8Array(32).fill(1),
    chunkerKey: new Uint8Array(16).fill(2),
    metaKey: new Uint8Array(32).fill(3),
    recipient: "age1pq1xyz",
  },
};

const code = (expected: ErrorCode) => (error: unknown) => isAppError(error, expected);

describe("device files", () => {
  test("come back as they were saved, for the owner alone", async () => {
    const home = openHome(join(folder, "a"));
    assert.deepEqual(await home.vaults(), []);
    assert.equal(await home.device(VAULT), undefined);
    await assert.rejects(home.requireDevice(VAULT), code("not_enrolled"));
    await home.saveDevice(FILE);
    await home.saveDevice({ ...FILE, vault: OTHER });
    assert.deepEqual(await home.device(VAULT), FILE);
    assert.deepEqual(await home.vaults(), [VAULT, OTHER]);
    assert.equal((await stat(join(home.dir, "devices", `${VAULT}.json`))).mode & 0o777, 0o600);
    await home.removeDevice(OTHER);
    await home.removeDevice(OTHER);
    assert.deepEqual(await home.vaults(), [VAULT]);
  });

  test("that others can read are told about", async () => {
    const warnings: string[] = [];
    const home = openHome(join(folder, "b"), { ...silentLogger, warn: (message) => warnings.push(message) });
    await home.saveDevice(FILE);
    await home.device(VAULT);
    assert.deepEqual(warnings, []);
    await chmod(join(home.dir, "devices", `${VAULT}.json`), 0o640);
    assert.deepEqual(await home.device(VAULT), FILE);
    assert.equal(warnings.length, 1);
  });

  test("are refused when they are changed in any way, and no key gets into the error", async () => {
    const home = openHome(join(folder, "c"));
    await home.saveDevice(FILE);
    const path = join(home.dir, "devices", `${VAULT}.json`);
    const good = JSON.parse(await readFile(path, "utf8"));
    const bad: unknown[] = [
      {},
      [],
      null,
      { ...good, format: "cyberbackup-device/2" },
      { ...good, more: 1 },
      { ...good, name: 7 },
      { ...good, device: OTHER },
      { ...good, signingKey: `${good.signingKey.slice(0, -4)}AAAA` },
      { ...good, signingKey: "" },
      { ...good, writer: { ...good.writer, metaKey: good.writer.chunkerKey } },
      { ...good, writer: { ...good.writer, more: "" } },
    ];
    for (const content of [
      ...bad.map((value) => JSON.stringify(value)),
      "",
      "{",
      "\xff",
      JSON.stringify(good).slice(0, -1),
    ]) {
      await writeFile(path, content);
      await assert.rejects(home.device(VAULT), (error) => {
        assert.ok(isAppError(error, "record_corrupt"), `${content}: ${error}`);
        assert.ok(!JSON.stringify([error.message, error.context]).includes(good.signingKey.slice(30)));
        return true;
      });
    }
    await writeFile(path, JSON.stringify({ ...good, vault: OTHER }));
    await assert.rejects(home.device(VAULT), code("vault_mismatch"));
  });
});

describe("remembered heads", () => {
  test("come back as they were saved; damaged ones are refused", async () => {
    const home = openHome(join(folder, "d"));
    const head = { seq: 7, id: "ab".repeat(32) };
    assert.equal(await home.head(VAULT), undefined);
    await home.saveHead(VAULT, head);
    assert.deepEqual(await home.head(VAULT), head);
    assert.equal(await home.head(OTHER), undefined);
    const bad = [{ ...head, seq: 0 }, { ...head, seq: 1.5 }, { ...head, id: "ab" }, { seq: 1 }, null, "x"];
    for (const content of [...bad.map((value) => JSON.stringify(value)), "", "{"]) {
      await writeFile(join(home.dir, "heads", `${VAULT}.json`), content);
      await assert.rejects(home.head(VAULT), code("record_corrupt"), content);
    }
  });
});

test("only ids become file names", async () => {
  const home = openHome(join(folder, "e"));
  const plan = "0c".repeat(16) as NameToken;
  assert.equal(
    home.statePath(VAULT, plan, "0011223344556677"),
    join(home.dir, "state", VAULT, `${plan}-0011223344556677.state`),
  );
  for (const id of ["../../etc", "", VAULT.toUpperCase(), `${VAULT}0a`]) {
    assert.throws(() => home.statePath(id as VaultId, plan, "0011223344556677"), code("internal"));
    assert.throws(() => home.statePath(VAULT, id as NameToken, "0011223344556677"), code("internal"));
    await assert.rejects(home.saveDevice({ ...FILE, vault: id as VaultId }), code("internal"));
    await assert.rejects(home.saveHead(id as VaultId, { seq: 1, id: "" }), code("internal"));
  }
  assert.deepEqual(await readdir(folder).then((names) => names.includes("e")), false);
});
