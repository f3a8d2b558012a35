// Both independent ends at our gateway: the plain Python client, and our own client, which shares its codecs and nothing else.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { cksum } from "../../src/core/checksum.ts";
import { isAppError } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import { openIdentity } from "../../src/gateway/send/identity.ts";
import { newSendProgress, sendFiles } from "../../src/gateway/send/send.ts";
import { until } from "../until.ts";
import { type Rig, startRig } from "../v3/peer.ts";
import { type PeerEvent, peerMissing, runPeerClient } from "./peer.ts";

const SIZES = [0, 1, 16, 1023, 1024, 61_440, 61_441, 65_520, 65_536, 65_537, 67_584, 1_048_576, 2_500_000];

class Site {
  readonly rig: Rig;
  /** Of the client. */
  readonly folder: string;

  private constructor(rig: Rig, folder: string) {
    this.rig = rig;
    this.folder = folder;
  }

  static async start(context: TestContext, options: Parameters<typeof startRig>[0] = {}): Promise<Site> {
    const folder = mkdtempSync(join(tmpdir(), "v3-client-"));
    const rig = await startRig(options);
    context.after(async () => {
      await rig.stop();
      rmSync(folder, { recursive: true });
    });
    return new Site(rig, folder);
  }

  get port(): number {
    return this.rig.gateway.address.port;
  }

  file(name: string, sizeBytes: number): string {
    const path = join(this.folder, name);
    writeFileSync(path, contentOf(sizeBytes));
    return path;
  }

  python(args: readonly string[], exit = 0): Promise<PeerEvent[]> {
    return runPeerClient(this, ["--name", "ann", "--identity", this.folder, ...args], { exit });
  }

  send(paths: readonly string[], name = "ann", { port }: { readonly port: number } = this) {
    return sendFiles({
      server: { host: "127.0.0.1", port },
      user: name,
      identity: openIdentity(join(this.folder, "me.info")),
      paths,
      wait: async () => undefined,
      progress: newSendProgress(),
      signal: undefined,
      logger: silentLogger,
    });
  }

  stored(name: string): Buffer {
    return readFileSync(join(this.rig.received, "ann", name));
  }

  /** Everything below the store, parts of uploads included. */
  names(): string[] {
    const all = readdirSync(this.rig.received, { recursive: true, withFileTypes: true });
    return all.filter((entry) => entry.isFile() && !entry.name.startsWith("lock.db")).map(({ name }) => name);
  }
}

function contentOf(sizeBytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 13 + (i >> 10)) % 253));
}

function receipts(events: readonly PeerEvent[]): PeerEvent[] {
  return events.filter(({ event }) => event === "receipt");
}

describe("the independent client and our gateway", { skip: peerMissing }, () => {
  test("registers, and every awkward size arrives and is confirmed", async (t) => {
    const site = await Site.start(t);
    const events = await site.python(SIZES.map((size) => site.file(`f-${size}`, size)));
    const confirmed = receipts(events);
    assert.equal(confirmed.length, SIZES.length);
    for (const [i, size] of SIZES.entries()) {
      assert.deepEqual([confirmed[i]!.right, confirmed[i]!.cksum], [true, cksum(contentOf(size))], `${size} bytes`);
      assert.deepEqual(site.stored(`f-${size}`), contentOf(size));
    }
    assert.ok(events.filter(({ event }) => event === "answered").every(({ code }) => code === 1604));
  });

  test("reconnects with its id, and sends in packets and slices of any size", async (t) => {
    const site = await Site.start(t);
    await site.python([site.file("a", 10)]);
    const awkward = ["--packets", "random", "--slices", "11"];
    const events = await site.python([...awkward, site.file("b", 300_000), site.file("c", 0)]);
    assert.equal(events[0]?.event, "reconnected");
    assert.deepEqual(site.stored("b"), contentOf(300_000));
    assert.deepEqual(site.stored("c"), contentOf(0));
  });

  test("sends again what it finds wrong, and leaves nothing of what it gives up", async (t) => {
    const site = await Site.start(t);
    const again = await site.python(["--say-wrong", "2", site.file("a", 100_000)]);
    assert.equal(receipts(again).length, 3);
    assert.deepEqual(site.stored("a"), contentOf(100_000));
    await site.python(["--give-up", site.file("b", 100_000)]);
    assert.deepEqual(site.names(), ["a"]);
  });

  for (const stage of ["connected", "keyed", "first-packet", "middle", "last-packet", "receipt"]) {
    test(`that is cut at ${stage} leaves nothing behind, and succeeds the next time`, async (t) => {
      const site = await Site.start(t);
      await site.python([site.file("before", 5)]);
      await site.python(["--cut", stage, site.file("a", 500_000)], 3);
      await eventually(() => site.rig.gateway.stats().connections === 0);
      assert.deepEqual(site.names(), ["before"]);
      await site.python([site.file("a", 500_000)]);
      assert.deepEqual(site.stored("a"), contentOf(500_000));
    });
  }
});

describe("our client and our gateway", () => {
  test("every awkward size arrives, and a second run reconnects", async (t) => {
    const site = await Site.start(t);
    const first = await site.send(SIZES.map((size) => site.file(`f-${size}`, size)));
    assert.deepEqual([first.failed, first.isNew], [[], true]);
    for (const size of SIZES) assert.deepEqual(site.stored(`f-${size}`), contentOf(size));
    const second = await site.send([site.file("more été 書.txt", 100)]);
    assert.deepEqual([second.isNew, second.client], [false, first.client]);
    assert.deepEqual(site.stored("more été 書.txt"), contentOf(100));
  });

  test("an id that the gateway forgot is replaced on the same connection", async (t) => {
    const site = await Site.start(t);
    const other = await Site.start(t);
    await other.send([other.file("a", 1)]);
    for (const name of ["me.info", "priv.key"])
      writeFileSync(join(site.folder, name), readFileSync(join(other.folder, name)));
    const { isNew, failed } = await site.send([site.file("a", 1)]);
    assert.deepEqual([isNew, failed], [true, []]);
  });

  // Ends of the gateway's replies: 1600 at 23, 1602 at 174, 1603 at 460, 1604 at 483. Of our requests: 1025 at 278, 1026 at 716.
  for (const cut of [
    ...[23, 24, 173, 174, 175, 459, 460, 461, 482, 483].map((bytes) => ({ from: "gateway", bytes }) as const),
    ...[1, 277, 278, 279, 715, 716, 717, 800, 66_000, 201_000].map((bytes) => ({ from: "client", bytes }) as const),
  ]) {
    test(`a cut after ${cut.bytes} bytes of the ${cut.from} costs one more try, and nothing else`, async (t) => {
      const site = await Site.start(t);
      const proxy = await startCutter(t, site.port, cut);
      const { sent } = await site.send([site.file("a", 200_000)], "ann", proxy);
      // When only the last reply is lost, the file is there already and comes a second time.
      assert.deepEqual([sent[0]?.tries, proxy.cuts()], cut.bytes === 483 ? [1, 0] : [2, 1]);
      assert.deepEqual(site.stored("a"), contentOf(200_000));
      await eventually(() => site.rig.gateway.stats().connections === 0);
      const left = site.names().sort();
      assert.ok(left.length === 1 || (cut.bytes >= 460 && left.join() === "a,a.~1~"), left.join());
    });
  }

  test("a cut that loses the new id itself loses the name: the protocol has no way to ask for it", async (t) => {
    for (const bytes of [0, 1, 22]) {
      const site = await Site.start(t);
      const proxy = await startCutter(t, site.port, { from: "gateway", bytes });
      const sending = site.send([site.file("a", 1)], "ann", proxy);
      await assert.rejects(sending, (error) => isAppError(error, "v3_name_taken"));
    }
  });

  test("a name that is not allowed is an error of its own", async (t) => {
    const site = await Site.start(t, { admission: { names: ["bob"] } });
    await assert.rejects(site.send([site.file("a", 1)]), (error) => isAppError(error, "v3_name_refused"));
    const taken = await Site.start(t);
    await taken.send([taken.file("a", 1)]);
    rmSync(join(taken.folder, "me.info"));
    await assert.rejects(taken.send([taken.file("a", 1)]), (error) => isAppError(error, "v3_name_taken"));
  });

  test("the old client's files work in both clients", { skip: peerMissing }, async (t) => {
    const site = await Site.start(t);
    await site.python([site.file("a", 10)]);
    assert.equal((await site.send([site.file("b", 10)])).isNew, false);
    mkdirSync(join(site.folder, "ours"));
    const identity = openIdentity(join(site.folder, "ours", "me.info"));
    const server = { host: "127.0.0.1", port: site.port };
    const progress = newSendProgress();
    const common = { server, user: "ours", identity, wait: async () => undefined, progress, signal: undefined };
    await sendFiles({ ...common, paths: [site.file("c", 10)], logger: silentLogger });
    const args = ["--name", "ours", "--identity", join(site.folder, "ours"), site.file("d", 10)];
    assert.equal((await runPeerClient(site, args))[0]?.event, "reconnected");
  });
});

/** The gateway hears of a cut line when the system tells it. */
async function eventually(isTrue: () => boolean): Promise<void> {
  await until("the gateway hears of it", isTrue);
}

type Cut = { readonly from: "gateway" | "client"; readonly bytes: number };

/** A way to the gateway that resets its first connection when so many bytes of one side have passed, and then lets all through. */
async function startCutter(context: TestContext, target: number, cut: Cut) {
  let cuts = 0;
  let isFirst = true;
  const server = createServer((client) => {
    const gateway = connect(target, "127.0.0.1");
    const left = { gateway: isFirst ? cut.bytes : Number.POSITIVE_INFINITY, client: Number.POSITIVE_INFINITY };
    if (isFirst && cut.from === "client") Object.assign(left, { gateway: left.client, client: cut.bytes });
    isFirst = false;
    const pass = (from: Socket, to: Socket, side: Cut["from"]): void => {
      from.on("error", () => to.destroy()).on("end", () => to.end());
      from.on("data", (slice: Buffer) => {
        to.write(slice.subarray(0, left[side]));
        left[side] -= slice.length;
        // What has passed must arrive: a reset could overtake it.
        if (left[side] < 0) stop();
      });
    };
    const stop = (): void => {
      if (gateway.destroyed) return;
      cuts++;
      client.end();
      gateway.resetAndDestroy();
    };
    pass(client, gateway, "client");
    pass(gateway, client, "gateway");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, cuts: () => cuts };
}
