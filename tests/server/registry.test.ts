// The vaults of a server: what a start finds in the data folder is served or reported, and never cleared away unless it was never whole.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "../../src/core/log.ts";
import { openServerDatabase } from "../../src/server/database.ts";
import { RunningCalls } from "../../src/server/running-calls.ts";
import { VAULT_MIGRATIONS, VaultRegistry } from "../../src/server/vaults.ts";
import { encodeVaultRecord } from "../../src/wire/v4/vault-record.ts";
import { deviceAdd, newDevice, START, signed, testClock } from "../vault/kit.ts";

const VAULT_ID = "a1".repeat(16) as Parameters<typeof signed>[0];

test("a vault whose disk is away is kept and served again when the disk is back", async () => {
  await using place = newPlace();
  const folder = join(place.data, "vaults", VAULT_ID);
  await place.run(async (registry) => void (await registry.create("home", await contents())));
  renameSync(folder, `${folder}-away`);
  mkdirSync(folder);
  await place.run(async (registry) => {
    assert.equal(registry.byNameOrId("home")?.problem?.code, "vault_not_found");
  });
  rmSync(folder, { recursive: true });
  await place.run(async (registry) => {
    assert.equal(registry.byNameOrId("home")?.problem?.code, "vault_not_found");
  });
  renameSync(`${folder}-away`, folder);
  await place.run(async (registry) => {
    assert.equal(registry.byNameOrId("home")?.problem, undefined);
    assert.equal((await registry.byNameOrId("home")!.vault.devices()).length, 1);
  });
});

test("a vault that was moved to the removed ones is let go, with its name, and served again once it is back", async () => {
  await using place = newPlace();
  const folder = join(place.data, "vaults", VAULT_ID);
  const removed = join(place.data, "removed-vaults", VAULT_ID);
  await place.run(async (registry) => void (await registry.create("home", await contents())));
  mkdirSync(join(removed, ".."));
  renameSync(folder, removed);
  await place.run(async (registry) => {
    assert.deepEqual(registry.list(), []);
  });
  assert.ok(existsSync(join(removed, "vault")));
  renameSync(removed, folder);
  await place.run(async (registry) => {
    assert.equal((await registry.byNameOrId(VAULT_ID)!.vault.devices()).length, 1);
  });
});

test("a vault that lost its record is reported, and nothing of it is removed", async () => {
  await using place = newPlace();
  const folder = join(place.data, "vaults", VAULT_ID);
  await place.run(async (registry) => void (await registry.create("home", await contents())));
  rmSync(join(folder, "vault"));
  const before = readdirSync(folder, { recursive: true }).sort();
  await place.run(async (registry) => {
    assert.equal(registry.byNameOrId("home")?.problem?.code, "vault_not_found");
  });
  assert.deepEqual(readdirSync(folder, { recursive: true }).sort(), before);
});

test("a vault that a crash left half made is cleared away", async () => {
  await using place = newPlace();
  const folder = join(place.data, "vaults", VAULT_ID);
  await place.run(async () => undefined);
  const database = place.database();
  database.run("INSERT INTO vaults (id, name, createdAt, isMade) VALUES (?, 'home', 0, 0)", VAULT_ID);
  database.close();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.db"), "");
  await place.run(async (registry) => {
    assert.deepEqual(registry.list(), []);
    assert.equal(existsSync(folder), false);
    await registry.create("home", await contents());
  });
});

test("a vault that the database forgot is taken in", async () => {
  await using place = newPlace();
  await place.run(async (registry) => void (await registry.create("home", await contents())));
  rmSync(join(place.data, "server.db"));
  await place.run(async (registry) => {
    assert.deepEqual(
      registry.list().map(({ id, problem }) => [id, problem]),
      [[VAULT_ID, undefined]],
    );
  });
});

function newPlace() {
  const data = mkdtempSync(join(tmpdir(), "cb-registry-"));
  const database = () => openServerDatabase(join(data, "server.db"), [VAULT_MIGRATIONS]);
  return {
    data,
    database,
    /** From a start to a stop. */
    async run(work: (registry: VaultRegistry) => Promise<void>): Promise<void> {
      const opened = database();
      const registry = await VaultRegistry.open({
        folder: join(data, "vaults"),
        database: opened,
        running: new RunningCalls(),
        clock: testClock(),
        logger: silentLogger,
      });
      try {
        await work(registry);
      } finally {
        await registry.close();
        opened.close();
      }
    },
    async [Symbol.asyncDispose]() {
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function contents() {
  const device = await newDevice();
  const { bytes } = await encodeVaultRecord({ vault: VAULT_ID, createdAt: START, chunker: 1 });
  return { record: bytes, statements: [await signed(VAULT_ID, device, deviceAdd(device, "laptop"))], keyslotFiles: [] };
}
