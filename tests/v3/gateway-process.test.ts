// The gateway as a process of its own: into a real vault and into a folder, killed at every stage of an upload, stopped in order.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { fromHex, utf8 } from "../../src/core/bytes.ts";
import type { V3ClientId } from "../../src/core/ids.ts";
import { REPLY, REQUEST } from "../../src/wire/v3/messages.ts";
import { endOf, firstLine } from "../child.ts";
import { cli, cliError, cliResult, newPlace, type Place, start } from "../cli/run-cli.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { codeOf, Peer, PUBLIC_KEY } from "./peer.ts";

type Running = { readonly child: ChildProcess; readonly port: number; stderr(): string };

/** A gateway process on a free port, once it listens. */
async function startGateway(place: Place, args: readonly string[] = []): Promise<Running> {
  const child = start(place, ["gateway", "--listen", "127.0.0.1:0", "--json", ...args], {
    env: { CYBERBACKUP_PACK_SIZE_MIB: "1" },
  });
  child.stdin!.end();
  let stderr = "";
  child.stderr!.on("data", (text: Buffer) => {
    stderr += String(text);
  });
  // Whatever a test stumbles over, it leaves no process behind.
  after(() => child.kill("SIGKILL"));
  const text = await firstLine(child);
  const started = JSON.parse(text) as { port?: number };
  assert.ok(started.port, `${text}\n${stderr}`);
  return { child, port: started.port, stderr: () => stderr };
}

async function end({ child }: Running, signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
  child.kill(signal);
  return endOf(child);
}

type Stage = (peer: Peer, user: string, bytes: Uint8Array) => Promise<void>;

const halfOf = async (peer: Peer, bytes: Uint8Array): Promise<void> => {
  const packets = peer.packets(bytes, "f", 65_536);
  for (const { head, content } of packets.slice(0, packets.length / 2)) await peer.packet(head, content);
};

/** Where the gateway dies; only in the last one has it said that the file is safe. */
const STAGES: readonly (readonly [what: string, Stage])[] = [
  ["connected", async () => undefined],
  ["registered", async (peer, user) => void (await peer.register(user))],
  ["key exchanged", async (peer, user) => void (await peer.enter(user))],
  [
    "inside a packet",
    async (peer, user, bytes) => {
      await peer.enter(user);
      await halfOf(peer, bytes);
    },
  ],
  [
    "received, not confirmed",
    async (peer, user, bytes) => {
      await peer.enter(user);
      assert.equal(codeOf(await peer.sendFile("f", bytes)), REPLY.fileReceived);
    },
  ],
  [
    "confirmed, not answered",
    async (peer, user, bytes) => {
      await peer.enter(user);
      assert.equal(codeOf(await peer.sendFile("f", bytes)), REPLY.fileReceived);
      await peer.name(REQUEST.checksumRight, "f");
    },
  ],
  [
    "acknowledged",
    async (peer, user, bytes) => {
      await peer.enter(user);
      await peer.upload("f", bytes);
    },
  ],
];

/** Kills the gateway at each stage; calls `check` after each start, which sweeps. */
async function killEverywhere(place: Place, args: readonly string[], check: (kills: number) => void): Promise<void> {
  for (const [i, [what, stage]] of STAGES.entries()) {
    const running = await startGateway(place, args);
    check(i);
    const peer = await Peer.connect(running.port);
    await stage(peer, `user-${i}`, content(i));
    assert.equal(running.stderr(), "", what);
    await end(running, "SIGKILL");
    peer.destroy();
  }
  const last = await startGateway(place, args);
  check(STAGES.length);
  const peer = await Peer.connect(last.port);
  await peer.enter("after");
  await peer.upload("f", content(99));
  peer.destroy();
  assert.equal(await end(last, "SIGTERM"), 0);
}

function content(seed: number): Uint8Array {
  return pseudoRandomBytes(seed + 1, 3_000_000);
}

test("killed at every stage with a plain store: what was acknowledged is there, nothing else is left", async () => {
  const place = newPlace();
  const folder = join(place.folder, "received");
  try {
    const files = () =>
      readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
        (path) => !path.includes("lock.db") && statSync(join(folder, path)).isFile(),
      );
    await killEverywhere(place, ["--store", "plain", "--dir", folder], () => {
      for (const path of files()) {
        const seed = Number(/^user-(5|6)\/f$/.exec(path)?.[1]);
        assert.ok(seed, `${path} should not be there`);
        assert.deepEqual(new Uint8Array(readFileSync(join(folder, path))), content(seed));
      }
    });
    assert.ok(files().includes("user-6/f") && files().includes("after/f"));
  } finally {
    place.remove();
  }
});

test("killed at every stage with a vault: what was acknowledged restores, and the vault is whole", async () => {
  const place = newPlace();
  try {
    await cli(place, ["init", "--quiet"]);
    await killEverywhere(place, [], () => undefined);
    await cli(place, ["verify", "--read-data", "--quiet"]);
    const { snapshots } = await cliResult(place, "snapshots");
    const plans = snapshots.map(({ plan }) => plan!).sort();
    assert.deepEqual(
      plans.filter((plan) => plan !== "user-5/f"),
      ["after/f", "user-6/f"],
    );
    for (const { id, plan, host, tags, paths } of snapshots) {
      assert.deepEqual([plan, tags, paths], [`${host}/f`, ["v3", host], ["/f"]]);
      const seed = host === "after" ? 99 : Number(host!.slice(5));
      const { stdout } = await cli(place, ["cat", id, "/f"]);
      assert.deepEqual(new Uint8Array(stdout), content(seed));
    }
    // Its own passphrase would open nothing: only the writer's secrets were used. What was aborted goes with the next collection.
    await cli(place, ["prune", "--trash-days", "0", "--quiet"]);
    await cli(place, ["verify", "--read-data", "--quiet"]);
  } finally {
    place.remove();
  }
});

test("a vault through a writer file: deduplicated, and failed checksums leave no snapshot", async () => {
  const place = newPlace();
  const writerFile = join(place.folder, "w.txt");
  try {
    await cli(place, ["init", "--quiet"]);
    writeFileSync(writerFile, (await cli(place, ["writer", "export", "--name", "gateway"])).stdout);
    const elsewhere = { ...place, home: join(place.folder, "other-home") };
    const running = await startGateway(elsewhere, ["--writer-file", writerFile]);
    const bytes = content(1);
    for (const user of ["alice", "bob"]) {
      const peer = await Peer.connect(running.port);
      await peer.enter(user);
      for (const verdict of [REQUEST.checksumWrong, REQUEST.checksumFailed] as const) {
        assert.equal(codeOf(await peer.sendFile("f", bytes)), REPLY.fileReceived);
        await peer.name(verdict, "f");
      }
      assert.equal(await peer.nextCode(), REPLY.acknowledged);
      await peer.upload("f", bytes);
      await peer.upload("empty", new Uint8Array(0));
      peer.destroy();
    }
    await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const peer = await Peer.connect(running.port);
        await peer.enter(`many-${i}`);
        await peer.upload("f", bytes.subarray(0, 2000 + i));
        peer.destroy();
      }),
    );
    assert.equal(await end(running, "SIGTERM"), 0);
    assert.equal(running.stderr(), "");
    const { snapshots } = await cliResult(place, "snapshots");
    assert.equal(snapshots.length, 204);
    const { id } = snapshots.find(({ host, paths }) => host === "bob" && paths?.[0] === "/f")!;
    const { stdout } = await cli(place, ["cat", id, "/f"]);
    assert.deepEqual(new Uint8Array(stdout), bytes);
    const stats = await cliResult(place, "stats");
    // Those that came at once do not know each other's first chunks.
    assert.ok(
      stats.storedBytes! < 10 * bytes.length,
      `${stats.storedBytes} bytes for 4 copies and 200 of its start of ${bytes.length}`,
    );
    await cli(place, ["verify", "--read-data", "--quiet"]);
  } finally {
    place.remove();
  }
});

test("clients of an old server reconnect without registering, and can be reset and forgotten", async () => {
  const place = newPlace();
  const database = join(place.folder, "defensive.db");
  const id = "c1".repeat(16) as V3ClientId;
  try {
    const old = new DatabaseSync(database);
    old.exec(`CREATE TABLE clients (ID BLOB, Name TEXT, PublicKey BLOB, LastSeen TEXT, AESKey BLOB);
      CREATE TABLE files (ID BLOB, FileName TEXT)`);
    const add = old.prepare("INSERT INTO clients VALUES (?, ?, ?, ?, ?)");
    add.run(fromHex(id), "alice", PUBLIC_KEY, "2025-03-01T10:00:00+00:00Z", new Uint8Array(32).fill(0x5e));
    add.run("d2".repeat(16), "bob", null, null, null);
    add.run(fromHex("e3".repeat(16)), "x".repeat(101), PUBLIC_KEY, null, null);
    old.close();
    const first = await cliResult(place, "gateway import", [database]);
    assert.deepEqual([first.imported, first.present, first.refused.length], [2, 0, 1]);
    const again = await cliResult(place, "gateway import", [database]);
    assert.deepEqual([again.imported, again.present], [0, 2]);
    const kept = readFileSync(join(place.home, "gateway", "gateway.db"));
    assert.ok(!kept.includes(new Uint8Array(32).fill(0x5e)), "a file key was imported");

    const running = await startGateway(place, ["--store", "plain", "--dir", join(place.folder, "received")]);
    const peer = await Peer.connect(running.port);
    assert.equal(codeOf(await peer.reconnect("alice", id)), REPLY.reconnected);
    await peer.upload("f", utf8("hello"));
    assert.equal(codeOf(await peer.sendKey("alice")), REPLY.error);
    await cliResult(place, "gateway reset", ["alice"]);
    assert.equal(codeOf(await peer.sendKey("alice")), REPLY.keyReceived);
    await cliResult(place, "gateway forget", ["bob"]);
    assert.equal(codeOf(await peer.register("bob")), REPLY.registered);
    await cliError(place, ["gateway", "forget", "nobody"], { exit: 1 });
    const { clients } = await cliResult(place, "gateway clients");
    assert.deepEqual(
      clients.map(({ name, hasKey }) => [name, hasKey]),
      [
        ["alice", true],
        ["bob", false],
      ],
    );
    peer.destroy();
    assert.equal(await end(running, "SIGTERM"), 0);
  } finally {
    place.remove();
  }
});

test("a start that cannot be is one error", async () => {
  const place = newPlace();
  try {
    for (const args of [
      ["--listen", "nonsense"],
      ["--listen", "127.0.0.1:99999"],
      ["--store", "tape"],
      ["--store", "plain"],
      ["--dir", join(place.folder, "x")],
      ["--store", "plain", "--dir", join(place.folder, "x"), "--retire", "alice"],
    ]) {
      const error = await cliError(place, ["gateway", ...args], { exit: 2 });
      assert.equal(error.code, "usage", args.join(" "));
    }
    assert.equal((await cliError(place, ["gateway"], { exit: 10 })).code, "vault_not_found");
  } finally {
    place.remove();
  }
});
