// A device in the server's own process: held to quotas, cut off and kept waiting as those that come through the doors.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, isAppError } from "../../src/core/errors.ts";
import { PARTS } from "../../src/server/app.ts";
import { innerPort } from "../../src/server/inner-port.ts";
import type { ServerEvent, ServerPart } from "../../src/server/kit.ts";
import { makePack, PLAN, randomBlock, stream, type World } from "../vault/kit.ts";
import { makeVault, newSessionId } from "./device.ts";
import { startRig } from "./rig.ts";

const refused = (code: string) => (error: unknown) => isAppError(error) && error.code === code;

async function setUp(admit?: ServerPart["admit"]) {
  const events: ServerEvent[] = [];
  const parts = admit === undefined ? PARTS : [...PARTS, { make: () => ({ admit }) }];
  const rig = await startRig({ parts, onEvent: (event) => void events.push(event) });
  const world = await makeVault(rig);
  const { kit } = rig.server;
  const port = innerPort(kit, world.vaultId, world.device.device);
  const session = newSessionId(world.random);
  const open = () => port.openSession({ session, device: world.device.device, plan: PLAN, base: undefined });
  const pack = await makePack(world as unknown as World, session, [randomBlock(world.random)]);
  return { rig, kit, port, session, open, pack, events, device: world.device.device, vault: world.vaultId };
}

test("a pack in flight is cut off when the vault is taken away, and the port serves the vault that comes back", async () => {
  const { rig, kit, port, session, open, pack, events, vault } = await setUp();
  await using _ = rig;
  const served = kit.vaults.byNameOrId(vault)!;
  const before = served.vault;
  await open();
  let reopened: Promise<void> | undefined;
  async function* slices() {
    for await (const slice of stream(pack)) {
      yield slice;
      reopened ??= kit.vaults.reopen(served, "a test", async () => {
        await assert.rejects(port.head(), refused("vault_busy"));
      });
    }
  }
  await assert.rejects(port.putPack(session, slices()), refused("vault_busy"));
  await reopened;
  assert.notEqual(served.vault, before);
  assert.equal((await port.putPack(session, stream(pack))).blockNos.length, 1);
  const told = events.filter(({ type }) => type === "session-open" || type === "pack");
  assert.deepEqual(
    told.map(({ type }) => type),
    ["session-open", "pack"],
  );
  assert.equal(told[1]!.type === "pack" && told[1]!.sizeBytes, pack.length);
  assert.equal(kit.running.size, 0);
});

test("a revoked device's pack is cut off", async () => {
  const { rig, kit, port, session, open, pack, device, vault } = await setUp();
  await using _ = rig;
  await open();
  async function* slices() {
    for await (const slice of stream(pack)) {
      yield slice;
      kit.running.cutDevice(vault, device);
    }
  }
  await assert.rejects(port.putPack(session, slices()), refused("device_revoked"));
});

test("a full server takes no session, and no more of a pack than there is room for", async () => {
  let room = 100;
  let ended: readonly number[] | undefined | "not yet" = "not yet";
  const full = () => new AppError("server_full");
  const { rig, port, session, open, pack } = await setUp((what) => {
    if (what.kind === "session" && room === 0) throw full();
    return {
      take(bytes) {
        room -= bytes;
        if (room < 0) throw full();
      },
      end: (blockNos) => {
        ended = blockNos;
      },
    };
  });
  await using _ = rig;
  await open();
  await assert.rejects(port.putPack(session, stream(pack)), refused("server_full"));
  assert.equal(ended, undefined);
  room = 0;
  await assert.rejects(open(), refused("server_full"));
});
