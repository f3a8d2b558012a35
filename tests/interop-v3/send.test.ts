// Our client of protocol 3 against the independent server, which is well-behaved, awkward, or cuts the line wherever it can.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { cksum } from "../../src/core/checksum.ts";
import { AppError, type ErrorCode } from "../../src/core/errors.ts";
import { silentLogger } from "../../src/core/log.ts";
import { parseMeInfo } from "../../src/gateway/old-files.ts";
import { openIdentity } from "../../src/gateway/send/identity.ts";
import { newSendProgress, type SendReport, type SendRequest, sendFiles } from "../../src/gateway/send/send.ts";
import { type PeerServer, peerMissing, startPeerServer } from "./peer.ts";

class Site {
  readonly folder: string;
  /** Where the server keeps what was confirmed. */
  readonly store: string;
  readonly me: string;
  /** What the client waited between its tries. */
  readonly waits: number[] = [];
  readonly server: PeerServer;

  private constructor(folder: string, server: PeerServer) {
    this.folder = folder;
    this.store = join(folder, "store");
    this.me = join(folder, "me.info");
    this.server = server;
  }

  static async start(context: TestContext, args: readonly string[] = []): Promise<Site> {
    const folder = mkdtempSync(join(tmpdir(), "v3-send-"));
    mkdirSync(join(folder, "store"));
    const server = await startPeerServer(context, ["--store", join(folder, "store"), ...args]);
    context.after(() => rmSync(folder, { recursive: true }));
    return new Site(folder, server);
  }

  file(name: string, sizeBytes: number): string {
    const path = join(this.folder, name);
    writeFileSync(path, contentOf(sizeBytes));
    return path;
  }

  send(paths: readonly string[], more: Partial<SendRequest> = {}): Promise<SendReport> {
    return sendFiles({
      server: { host: "127.0.0.1", port: this.server.port },
      user: "alice",
      identity: openIdentity(this.me),
      paths,
      wait: async (ms) => void this.waits.push(ms),
      progress: newSendProgress(),
      signal: undefined,
      logger: silentLogger,
      ...more,
    });
  }

  /** Ends the server: what of these it said, in order. */
  async events(...names: readonly string[]): Promise<string[]> {
    return (await this.server.end()).map(({ event }) => event).filter((event) => names.includes(event));
  }

  stored(name: string): Buffer {
    return readFileSync(join(this.store, name));
  }
}

function contentOf(sizeBytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 7 + (i >> 9)) % 251));
}

function failsWith(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  };
}

const SIZES = [0, 1, 15, 16, 1023, 1024, 61_440, 61_441, 65_520, 65_536, 65_537, 67_584, 1_048_576, 2_500_000];
const PACKETS = new Map([
  [0, 1],
  [1024, 2],
  [61_440, 2],
  [61_441, 1],
  [65_536, 2],
  [1_048_576, 17],
]);

describe("our client and the independent server", { skip: peerMissing }, () => {
  test("registers, and sends files of every awkward size in the old client's packets", async (t) => {
    const site = await Site.start(t);
    const { sent, failed, isNew, client } = await site.send(SIZES.map((size) => site.file(`f-${size}.bin`, size)));
    assert.deepEqual(failed, []);
    assert.equal(isNew, true);
    for (const [i, size] of SIZES.entries()) {
      assert.deepEqual(site.stored(`f-${size}.bin`), contentOf(size));
      assert.equal(sent[i]!.cksum, cksum(contentOf(size)));
      assert.equal(sent[i]!.tries, 1);
    }
    const events = await site.server.end();
    const received = events.filter(({ event }) => event === "received");
    for (const { bytes, packets } of received) {
      const expected = PACKETS.get(bytes as number);
      if (expected !== undefined) assert.equal(packets, expected, `${bytes} bytes`);
    }
    assert.deepEqual(
      events.filter(({ event }) => event === "key").map(({ bytes, name }) => [bytes, name]),
      [[160, "alice"]],
    );
    assert.equal(client, events.find(({ event }) => event === "registered")?.id);
  });

  test("leaves me.info and priv.key for the old client, readable by their owner alone", async (t) => {
    const site = await Site.start(t);
    const { client } = await site.send([site.file("a", 10)]);
    for (const path of [site.me, join(site.folder, "priv.key")]) {
      assert.equal(statSync(path).mode & 0o777, 0o600, path);
    }
    const me = parseMeInfo(readFileSync(site.me), "me.info");
    assert.deepEqual([me.user, me.client], ["alice", client]);
    assert.deepEqual(Buffer.from(me.privateKey), readFileSync(join(site.folder, "priv.key")));
    assert.match(readFileSync(site.me, "utf8"), /^alice\n[0-9a-f]{32}\n[A-Za-z0-9+/]+=*\n$/);
  });

  test("reconnects the next time, also with the key of me.info alone", async (t) => {
    const site = await Site.start(t);
    const path = site.file("a", 10);
    const first = await site.send([path]);
    rmSync(join(site.folder, "priv.key"));
    const second = await site.send([path]);
    assert.deepEqual([second.isNew, second.client], [false, first.client]);
    assert.deepEqual(await site.events("registered", "reconnected"), ["registered", "reconnected"]);
  });

  test("reads replies that come in slices of any size", async (t) => {
    const site = await Site.start(t, ["--slices", "5"]);
    const { sent } = await site.send([site.file("a", 100_000), site.file("b", 5)]);
    assert.equal(sent.length, 2);
  });

  for (const answer of [[], ["--answer-resend"]]) {
    const server = answer.length === 0 ? "that is silent about 1030" : "that answers 1030";
    test(`sends again while the checksum is wrong, to a server ${server}`, async (t) => {
      const site = await Site.start(t, ["--wrong-checksum", "2", ...answer]);
      const { sent } = await site.send([site.file("a", 200_000), site.file("b", 3)]);
      assert.deepEqual(
        sent.map(({ tries }) => tries),
        [3, 1],
      );
      assert.deepEqual(await site.events("wrong", "right", "given-up"), ["wrong", "wrong", "right", "right"]);
      assert.deepEqual(site.stored("a"), contentOf(200_000));
      assert.deepEqual(await site.events("connected"), ["connected"]);
    });

    test(`gives a file up after the third wrong checksum and sends the next, to a server ${server}`, async (t) => {
      const site = await Site.start(t, ["--wrong-checksum", "3", ...answer]);
      const { sent, failed } = await site.send([site.file("a", 70_000), site.file("b", 3)]);
      assert.deepEqual(
        failed.map(({ error }) => error.code),
        ["v3_checksum"],
      );
      assert.deepEqual(
        sent.map(({ name }) => name),
        ["b"],
      );
      assert.deepEqual(await site.events("wrong", "given-up", "right"), ["wrong", "wrong", "given-up", "right"]);
    });
  }

  for (const close of [[], ["--close-after-refusal"]]) {
    test(`registers anew where its id is unknown${close.length > 0 ? " and the server closes" : ""}`, async (t) => {
      const site = await Site.start(t, close);
      const other = await Site.start(t);
      const path = site.file("a", 10);
      await other.send([other.file("a", 10)]);
      writeFileSync(site.me, readFileSync(other.me));
      writeFileSync(join(site.folder, "priv.key"), readFileSync(join(other.folder, "priv.key")));
      const report = await site.send([path]);
      assert.equal(report.isNew, true);
      assert.deepEqual(await site.events("refused", "registered", "right"), ["refused", "registered", "right"]);
      assert.equal((await site.events("connected")).length, close.length === 0 ? 1 : 2);
      assert.equal(parseMeInfo(readFileSync(site.me), "me.info").client, report.client);
    });
  }

  test("a name that somebody else has is an error, and nothing is sent", async (t) => {
    const site = await Site.start(t);
    await site.send([site.file("a", 10)]);
    const identity = openIdentity(join(site.folder, "other", "me.info"));
    await assert.rejects(site.send([site.file("b", 1)], { identity }), failsWith("v3_name_taken"));
    assert.deepEqual(await site.events("received"), ["received"]);
  });

  test("another user's me.info is not used", async (t) => {
    const site = await Site.start(t);
    await site.send([site.file("a", 10)]);
    await assert.rejects(site.send([site.file("a", 10)], { user: "bob" }), failsWith("usage"));
  });

  for (const stage of [
    ...["accept", "register", "registered", "key", "half-reply", "keyed"],
    ...["first-packet", "middle", "last-packet", "receipt", "right"],
  ]) {
    test(`survives a cut at ${stage}`, async (t) => {
      const site = await Site.start(t, ["--cut", stage]);
      const { sent } = await site.send([site.file("a", 300_000)]);
      // A cut right after the accept may come before the connection counts as made: then it is the connecting that is tried again.
      if (stage !== "accept") assert.equal(sent[0]?.tries, 2);
      assert.equal(site.waits.length, 1);
      assert.deepEqual(site.stored("a"), contentOf(300_000));
      assert.deepEqual(await site.events("cut"), ["cut"]);
    });
  }

  test("survives a cut while it reconnects, and one after each file", async (t) => {
    const site = await Site.start(t, ["--cut", "reconnect", "--cut", "acknowledged:2"]);
    await site.send([site.file("a", 10)]);
    const { sent } = await site.send([site.file("b", 10), site.file("c", 10)]);
    assert.equal(sent.length, 2);
    assert.ok((await site.events("cut")).length >= 2);
  });

  test("gives up after three cuts, having waited longer each time", async (t) => {
    const site = await Site.start(t, ["--cut", "middle:9"]);
    await assert.rejects(site.send([site.file("a", 300_000)]), failsWith("v3_connection"));
    assert.deepEqual(site.waits, [1000, 2000]);
    assert.deepEqual(await site.events("cut"), ["cut", "cut", "cut"]);
  });

  test("what arrived is reported though the line then broke for good", async (t) => {
    const site = await Site.start(t, ["--cut", "acknowledged", "--cut", "reconnect:99"]);
    const { sent, failed } = await site.send([site.file("small", 1), site.file("large", 300_000)]);
    assert.deepEqual(
      [sent.map(({ name }) => name), failed.map(({ error }) => error.code)],
      [["small"], ["v3_connection"]],
    );
  });

  test("a refusal in the middle of a file is heard, and tried again", async (t) => {
    const site = await Site.start(t, ["--error", "2"]);
    const { sent } = await site.send([site.file("a", 3_000_000)]);
    assert.equal(sent[0]?.tries, 3);
    const never = await Site.start(t, ["--error", "9"]);
    const { failed } = await never.send([never.file("a", 3_000_000)]);
    assert.equal(failed[0]?.error.code, "v3_refused");
    assert.deepEqual(never.waits, [1000, 2000]);
  });

  test("a server that is not there is tried three times", async (t) => {
    const site = await Site.start(t);
    const closed = { host: "127.0.0.1", port: await freePort() };
    await assert.rejects(site.send([site.file("a", 1)], { server: closed }), failsWith("v3_unreachable"));
    assert.deepEqual(site.waits, [1000, 2000]);
  });

  test("a silent server is given up", async (t) => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    t.after(() => silent.close());
    const { port } = silent.address() as { port: number };
    const site = await Site.start(t);
    const server = { host: "127.0.0.1", port };
    await assert.rejects(site.send([site.file("a", 1)], { server, silenceMs: 20 }), failsWith("v3_connection"));
  });

  test("an interrupt ends it at once, connecting, waiting or sending", async (t) => {
    const site = await Site.start(t, ["--cut", "middle:9"]);
    const waiting = new AbortController();
    const wait = async (): Promise<void> => waiting.abort();
    const path = site.file("a", 300_000);
    await assert.rejects(site.send([path], { signal: waiting.signal, wait }), failsWith("interrupted"));
    const sending = new AbortController();
    const progress = newSendProgress();
    Object.defineProperty(progress, "bytes", { get: () => 0, set: () => sending.abort() });
    await assert.rejects(site.send([path], { signal: sending.signal, progress }), failsWith("interrupted"));
    await assert.rejects(site.send([path], { signal: AbortSignal.abort() }), failsWith("interrupted"));
  });

  test("files that cannot be sent are named, and the others go", async (t) => {
    const site = await Site.start(t);
    mkdirSync(join(site.folder, "folder"));
    const paths = [join(site.folder, "none"), join(site.folder, "folder"), site.file("con.txt", 1), site.file("ok", 1)];
    const { sent, failed } = await site.send(paths);
    assert.deepEqual(
      failed.map(({ error }) => error.code),
      ["io", "io", "filename_invalid"],
    );
    assert.deepEqual(
      sent.map(({ name }) => name),
      ["ok"],
    );
  });

  test("a file that changes while it is sent is sent again as it is then", async (t) => {
    const site = await Site.start(t);
    const path = site.file("a", 3_000_000);
    const progress = newSendProgress();
    let isTouched = false;
    Object.defineProperty(progress, "bytes", {
      get: () => 0,
      set: () => {
        if (!isTouched) writeFileSync(path, contentOf(3_000_001));
        isTouched = true;
      },
    });
    const { sent } = await site.send([path], { progress });
    assert.deepEqual([sent[0]?.sizeBytes, sent[0]?.tries], [3_000_001, 2]);
    assert.deepEqual(site.stored("a"), contentOf(3_000_001));
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
