// The server killed with SIGKILL at random moments under the load of eight devices: nothing that it acknowledged is lost, devices
// carry on by themselves, no snapshot is made twice. CYBERBACKUP_KILLS=200 kills it as often; CYBERBACKUP_SEED repeats a run.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import type { HttpTransport } from "../../src/engine/remote/transport.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import { openVault } from "../../src/vault/open-vault.ts";
import { newPlace } from "../cli/run-cli.ts";
import { prng } from "../vault/kit.ts";
import { backUpOnce, type Fleet, newFleet, readSnapshot } from "./fleet.ts";
import { ServerProcess } from "./server-process.ts";

const KILLS = Number(process.env.CYBERBACKUP_KILLS ?? 5);
const SEED = Number(process.env.CYBERBACKUP_SEED ?? randomInt(2 ** 31));
const DEVICES = 8;
/** More kills than usual may take longer than a test may. */
const TIMEOUT_MS = 120_000 + KILLS * 20_000;
/** Requests of all devices between two kills, at most. */
const MOST_REQUESTS = 100;
/** Turns of the event loop after the last of them, at most: a request is anywhere by then. */
const MOST_TURNS = 40;

test(`nothing acknowledged is lost in ${KILLS} kills (CYBERBACKUP_SEED=${SEED})`, { timeout: TIMEOUT_MS }, async () => {
  const place = newPlace();
  const server = new ServerProcess(place);
  const random = prng(SEED);
  const count = requestCounter();
  try {
    const { port, fingerprint, socket } = await server.start();
    const pin = fingerprint!;
    const fleet = await newFleet({ socket, port: port!, pin, devices: DEVICES, seed: SEED, decorate: count.decorate });
    const controller = { isOver: false };
    const running = Promise.all(
      fleet.members.map(async (member) => {
        do await backUpOnce(member);
        while (!controller.isOver);
      }),
    );
    const killing = killAgainAndAgain(server, count, random).finally(() => {
      controller.isOver = true;
    });
    await Promise.all([running, killing]);
    await checkEverything(fleet);
    assert.equal(await server.end("SIGTERM"), 0, server.errors);
    await checkVault(join(server.data, "vaults", fleet.vaultId));
  } finally {
    await server.end("SIGKILL");
    place.remove();
  }
});

async function killAgainAndAgain(
  server: ServerProcess,
  count: ReturnType<typeof requestCounter>,
  random: ReturnType<typeof prng>,
): Promise<void> {
  for (let kill = 0; kill < KILLS; kill++) {
    await count.after(1 + random.below(MOST_REQUESTS));
    for (let turns = random.below(MOST_TURNS); turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
    await server.end("SIGKILL");
    await server.start();
  }
}

/** Every acknowledged snapshot is there, and no other one; the last of each device reads back byte for byte. */
async function checkEverything({ members }: Fleet): Promise<void> {
  const rows = await members[0]!.vault.snapshots();
  const acknowledged = members.flatMap((member) => [...member.acknowledged.keys()]);
  assert.deepEqual(rows.map(({ id }) => id).sort(), acknowledged.sort());
  for (const member of members) {
    const [id, truth] = [...member.acknowledged].at(-1)!;
    assert.deepEqual(new Map([...(await readSnapshot(member, id))].sort()), new Map([...truth].sort()));
    await member.vault.close();
  }
}

/** What lies on the disk is whole to the last byte. */
async function checkVault(folder: string): Promise<void> {
  const vault = await openVault(folder);
  try {
    const { problems } = await vaultAdmin(vault).check({ readData: true });
    // What a kill cut off before it was acknowledged may lie there, referred to by nothing, until it is collected.
    assert.deepEqual(
      problems.filter(({ code }) => code !== "unexpected"),
      [],
    );
  } finally {
    await vault.close();
  }
}

/** Counts requests as they are sent. */
function requestCounter() {
  let left = Number.POSITIVE_INFINITY;
  let reached = (): void => undefined;
  const counted = (): void => {
    if (--left === 0) reached();
  };
  return {
    decorate: (transport: HttpTransport): HttpTransport => ({
      ...transport,
      send(request) {
        counted();
        return transport.send(request);
      },
    }),
    after: (requests: number): Promise<void> =>
      new Promise((resolve) => {
        left = requests;
        reached = resolve;
      }),
  };
}
