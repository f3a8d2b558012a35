// What the gateway answers, case by case (docs/protocol-v3.md, What the gateway answers), and what it leaves on the disk.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { concatBytes, utf8 } from "../../src/core/bytes.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { V3ClientId } from "../../src/core/ids.ts";
import { openPlainStore } from "../../src/gateway/plain-store.ts";
import type { UploadStore } from "../../src/gateway/upload-store.ts";
import { REPLY, REQUEST } from "../../src/wire/v3/messages.ts";
import { encodeNameRequest, encodeRequestHeader } from "../../src/wire/v3/requests.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { until } from "../until.ts";
import { codeOf, type Peer, PUBLIC_KEY, type Rig, startRig } from "./peer.ts";

const hello = utf8("hello v3\n");
const STRANGER = "ab".repeat(16) as V3ClientId;

/** Runs against a gateway of its own, which is stopped whatever happens. */
function withRig(work: (rig: Rig) => Promise<void>, options: Parameters<typeof startRig>[0] = {}) {
  return async () => {
    const rig = await startRig(options);
    try {
      await work(rig);
    } finally {
      await rig.stop();
    }
  };
}

/** Everything in the store, names with their sizes; leftovers would show. */
function stored({ received }: Rig): string[] {
  return readdirSync(received, { recursive: true, encoding: "utf8" })
    .filter((path) => !path.includes("lock.db") && statSync(join(received, path)).isFile())
    .sort();
}

async function expectRefusal(peer: Peer): Promise<void> {
  assert.equal(await peer.nextCode(), REPLY.error);
}

async function expectClosing(peer: Peer): Promise<void> {
  await expectRefusal(peer);
  assert.equal(await peer.next(), "closed");
}

/** Proves that the connection still serves, and that no reply came that nobody asked for. */
async function expectInStep(peer: Peer): Promise<void> {
  await peer.upload("in-step", hello);
}

describe("uploads", () => {
  test(
    "of all the sizes at which packets change",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      for (const size of [0, 1, 15, 16, 1024, 61_440, 61_441, 65_520, 65_536, 65_537, 67_584, 2 ** 20, 3_000_001]) {
        const bytes = pseudoRandomBytes(size + 1, size);
        const packetBytes = size <= 61_440 ? Math.max(1024, Math.ceil(size / 16) * 16) : 65_536;
        await peer.upload(`f${size}`, bytes, packetBytes);
        assert.deepEqual(new Uint8Array(readFileSync(join(rig.received, "alice", `f${size}`))), bytes);
      }
      assert.equal(rig.gateway.stats().stored, 13);
    }),
  );

  test(
    "cut into packets at any byte",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      const bytes = pseudoRandomBytes(3, 1000);
      for (const packetBytes of [1, 7, 16, 20, 999]) await peer.upload(`by-${packetBytes}`, bytes, packetBytes);
      for (const name of stored(rig)) assert.deepEqual(new Uint8Array(readFileSync(join(rig.received, name))), bytes);
      assert.equal(stored(rig).length, 5);
    }),
  );

  test(
    "are committed by 1029 and not before",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      assert.equal(codeOf(await peer.sendFile("a", hello)), REPLY.fileReceived);
      assert.equal(existsSync(join(rig.received, "alice")), false);
      await peer.name(REQUEST.checksumRight, "a");
      assert.equal(await peer.nextCode(), REPLY.acknowledged);
      assert.deepEqual(stored(rig), ["alice/a"]);
    }),
  );

  test(
    "of one name by two clients do not meet, and the earlier one of the same client is kept",
    withRig(async (rig) => {
      for (const [user, text] of [
        ["alice", "one"],
        ["bob", "two"],
      ] as const) {
        await (await (await rig.peer()).enter(user)).upload("same", utf8(text));
      }
      const again = await rig.peer();
      await again.enter("carol");
      for (const text of ["1", "2", "3"]) await again.upload("same", utf8(text));
      const read = (path: string) => readFileSync(join(rig.received, path), "utf8");
      assert.deepEqual(stored(rig), ["alice/same", "bob/same", "carol/same", "carol/same.~1~", "carol/same.~2~"]);
      assert.deepEqual(stored(rig).map(read), ["one", "two", "3", "1", "2"]);
    }),
  );

  test(
    "of several files on one connection, one after the other or mixed",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      const [a, b] = [pseudoRandomBytes(1, 5000), pseudoRandomBytes(2, 5000)];
      const [pa, pb] = [peer.packets(a, "a", 2000), peer.packets(b, "b", 2000)];
      for (const i of pa.keys()) {
        await peer.packet(pa[i]!.head, pa[i]!.content);
        await peer.packet(pb[i]!.head, pb[i]!.content);
      }
      for (const name of ["a", "b"]) {
        const reply = await peer.next();
        assert.ok(reply !== "closed" && reply.code === REPLY.fileReceived && reply.name === name);
      }
      await peer.name(REQUEST.checksumRight, "b");
      await peer.name(REQUEST.checksumRight, "a");
      assert.deepEqual([await peer.nextCode(), await peer.nextCode()], [REPLY.acknowledged, REPLY.acknowledged]);
      assert.deepEqual(new Uint8Array(readFileSync(join(rig.received, "alice", "a"))), a);
      assert.deepEqual(new Uint8Array(readFileSync(join(rig.received, "alice", "b"))), b);
    }),
  );

  test(
    "on two connections with one id, each with its own key",
    withRig(async (rig) => {
      const first = await (await rig.peer()).enter("alice");
      const second = await rig.peer();
      assert.equal(codeOf(await second.reconnect("alice", first.id)), REPLY.reconnected);
      assert.notDeepEqual(first.fileKey, second.fileKey);
      await second.upload("two", hello);
      await first.upload("one", hello);
      assert.deepEqual(stored(rig), ["alice/one", "alice/two"]);
    }),
  );

  test(
    "whose client closes its sending side before the last reply",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      assert.equal(codeOf(await peer.sendFile("a", hello)), REPLY.fileReceived);
      await peer.name(REQUEST.checksumRight, "a");
      peer.end();
      assert.equal(await peer.nextCode(), REPLY.acknowledged);
      assert.equal(await peer.next(), "closed");
    }),
  );
});

describe("packets out of order", () => {
  const bytes = pseudoRandomBytes(9, 10_000);

  test(
    "and repeated ones give the file all the same",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      const packets = peer.packets(bytes, "mixed", 1000);
      for (const number of [1, 4, 3, 3, 2, 1 + 4, 2, 9, 11, 10, 6, 8, 7]) {
        const { head, content } = packets[number - 1]!;
        await peer.packet(head, content);
      }
      assert.equal(await peer.nextCode(), REPLY.fileReceived);
      await peer.name(REQUEST.checksumRight, "mixed");
      assert.equal(await peer.nextCode(), REPLY.acknowledged);
      assert.deepEqual(new Uint8Array(readFileSync(join(rig.received, "alice", "mixed"))), bytes);
    }),
  );

  test(
    "start over with packet 1",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      const packets = peer.packets(bytes, "again", 4000);
      for (const number of [1, 2, 1, 2, 3]) await peer.packet(packets[number - 1]!.head, packets[number - 1]!.content);
      assert.equal(await peer.nextCode(), REPLY.fileReceived);
      await peer.name(REQUEST.checksumRight, "again");
      assert.equal(await peer.nextCode(), REPLY.acknowledged);
      assert.deepEqual(new Uint8Array(readFileSync(join(rig.received, "alice", "again"))), bytes);
    }),
  );

  test(
    "beyond the window are refused once, and the rest is passed over",
    withRig(
      async (rig) => {
        const peer = await (await rig.peer()).enter("alice");
        const packets = peer.packets(bytes, "far", 1000);
        for (const number of [1, 3, 4, 5, 6, 7]) {
          await peer.packet(packets[number - 1]!.head, packets[number - 1]!.content);
        }
        await expectRefusal(peer);
        await expectInStep(peer);
      },
      { limits: { windowBytes: 2500 } },
    ),
  );

  test(
    "of all uploads together share one window, which is given back",
    withRig(
      async (rig) => {
        const [one, two] = [await (await rig.peer()).enter("one"), await (await rig.peer()).enter("two")];
        for (const [peer, numbers] of [
          [one, [1, 3, 4]],
          [two, [1, 3]],
        ] as const) {
          const packets = peer.packets(bytes, "f", 1000);
          for (const number of numbers) await peer.packet(packets[number - 1]!.head, packets[number - 1]!.content);
          if (peer === two) continue;
          // Its answer says that all before it was taken.
          await peer.name(REQUEST.checksumFailed, "other");
          assert.equal(await peer.nextCode(), REPLY.acknowledged);
        }
        await expectRefusal(two);
        one.destroy();
        const packets = two.packets(bytes, "g", 1000);
        await until("one is gone", () => rig.gateway.stats().connections <= 1);
        for (const number of [1, 3, 2]) await two.packet(packets[number - 1]!.head, packets[number - 1]!.content);
        await expectInStep(two);
      },
      { limits: { windowBytes: 2500, allWindowsBytes: 2500 } },
    ),
  );
});

describe("registering and reconnecting", () => {
  test(
    "a taken name gives 1601, and the connection goes on",
    withRig(async (rig) => {
      await (await rig.peer()).enter("alice");
      const peer = await rig.peer();
      assert.equal(codeOf(await peer.register("alice")), REPLY.nameTaken);
      await peer.enter("bob");
    }),
  );

  test(
    "names of 1 to 100 bytes are names; anything else closes",
    withRig(async (rig) => {
      for (const name of ["a", "x".repeat(100), "Ünï©ode 名前", "a/b", "CON", "é".repeat(50), "..", ".hidden"]) {
        assert.equal(codeOf(await (await rig.peer()).register(name)), REPLY.registered, name);
      }
      for (const name of ["", "x".repeat(101), "a\nb", "a\u202eb", "a\u200bb", "\u0001"]) {
        const peer = await rig.peer();
        await peer.name(REQUEST.register, name);
        await expectClosing(peer);
      }
      for (const field of [new Uint8Array(255).fill(0x61), new Uint8Array(255).fill(0xff).with(4, 0)]) {
        const peer = await rig.peer();
        await peer.send(encodeRequestHeader(STRANGER, REQUEST.register, 255), field);
        await expectClosing(peer);
      }
    }),
  );

  test(
    "users whose names are no folder names get folders of their own, inside",
    withRig(async (rig) => {
      for (const name of ["a/b", "..", "CON", ".incoming", "a%2Fb", "_a"]) {
        await (await (await rig.peer()).enter(name)).upload("f", hello);
      }
      const folders = stored(rig).map((path) => path.split("/")[0]!);
      assert.equal(new Set(folders).size, 6, folders.join(" "));
      assert.ok(stored(rig).every((path) => path.split("/").length === 2 && path.endsWith("/f")));
      assert.ok(folders.includes("a%2Fb") && folders.includes("_a") && !folders.includes("CON"));
      assert.deepEqual(readdirSync(rig.folder).sort(), ["data", "received"]);
    }),
  );

  test(
    "an unknown id may not reconnect, but may register on the same connection",
    withRig(async (rig) => {
      const peer = await rig.peer();
      assert.equal(codeOf(await peer.reconnect("alice", STRANGER)), REPLY.reconnectRefused);
      await peer.enter("alice");
      await peer.upload("f", hello);
    }),
  );

  test(
    "another name than the id's, or an id without a key, is refused with 1606",
    withRig(async (rig) => {
      const alice = await (await rig.peer()).enter("alice");
      const keyless = await rig.peer();
      await keyless.register("keyless");
      const peer = await rig.peer();
      assert.equal(codeOf(await peer.reconnect("bob", alice.id)), REPLY.reconnectRefused);
      assert.equal(codeOf(await peer.reconnect("keyless", keyless.id)), REPLY.reconnectRefused);
      assert.equal(codeOf(await peer.reconnect("alice", alice.id)), REPLY.reconnected);
      await peer.upload("f", hello);
    }),
  );

  test(
    "nobody takes an account over with another key, except whoever has just registered it",
    withRig(async (rig) => {
      const alice = await (await rig.peer()).enter("alice");
      assert.equal(codeOf(await alice.sendKey("alice")), REPLY.keyReceived);
      const thief = await rig.peer();
      thief.id = alice.id;
      assert.equal(codeOf(await thief.sendKey("alice")), REPLY.error);
      assert.equal(codeOf(await thief.reconnect("alice", alice.id)), REPLY.reconnected);
      assert.equal(codeOf(await thief.sendKey("alice")), REPLY.error);
      await alice.upload("f", hello);
    }),
  );

  test(
    "a key that is none, or for another name, is refused and the connection goes on",
    withRig(async (rig) => {
      const peer = await rig.peer();
      await peer.register("alice");
      assert.equal(codeOf(await peer.sendKey("alice", new Uint8Array(160).fill(7))), REPLY.error);
      assert.equal(codeOf(await peer.sendKey("alice", new Uint8Array(162))), REPLY.error);
      assert.equal(codeOf(await peer.sendKey("bob")), REPLY.error);
      assert.equal(codeOf(await peer.sendKey("alice", PUBLIC_KEY)), REPLY.keyReceived);
      await peer.upload("f", hello);
    }),
  );

  test("registered clients outlive the gateway", async () => {
    const rig = await startRig();
    const peer = await (await rig.peer()).enter("alice");
    const { id } = peer;
    await rig.gateway.close();
    const next = await startRig({ dataDir: join(rig.folder, "data") });
    try {
      const back = await next.peer();
      assert.equal(codeOf(await back.reconnect("alice", id)), REPLY.reconnected);
      await back.upload("f", hello);
    } finally {
      await next.stop();
      await rig.stop();
    }
  });
});

describe("requests that close the connection", () => {
  const cases: Readonly<Record<string, (peer: Peer) => Uint8Array>> = {
    "another version": () => encodeNameRequest(REQUEST.register, undefined, "x").with(16, 4),
    "a short name": (peer) => encodeRequestHeader(peer.id, REQUEST.reconnect, 254),
    "a long name": (peer) => encodeRequestHeader(peer.id, REQUEST.checksumRight, 256),
    "a key of another size": (peer) => encodeRequestHeader(peer.id, REQUEST.publicKey, 416),
    "a payload over the limit": (peer) => encodeRequestHeader(peer.id, REQUEST.packet, 16_778_241),
    "the largest payload": (peer) => encodeRequestHeader(peer.id, REQUEST.packet, 2 ** 32 - 1),
    "an unknown id with 1026": () => encodeRequestHeader(STRANGER, REQUEST.publicKey, 415),
    "an unknown id with 1028": () => encodeRequestHeader(STRANGER, REQUEST.packet, 300),
    "an unknown id with 1029": () => encodeRequestHeader(STRANGER, REQUEST.checksumRight, 255),
    "an unknown id with 1030": () => encodeRequestHeader(STRANGER, REQUEST.checksumWrong, 255),
    "an unknown id with 1031": () => encodeRequestHeader(STRANGER, REQUEST.checksumFailed, 255),
    "an unknown id with an unknown code": () => encodeRequestHeader(STRANGER, 4711, 0),
    "another protocol": () => utf8(`GET / HTTP/1.1\r\nHost: x\r\n${"x".repeat(40)}`),
  };
  for (const [what, make] of Object.entries(cases)) {
    test(
      `${what}: 1607 without the payload, and an upload that was under way is gone`,
      withRig(async (rig) => {
        const peer = await (await rig.peer()).enter("alice");
        const [first] = peer.packets(pseudoRandomBytes(1, 5000), "half", 2000);
        await peer.packet(first!.head, first!.content);
        await peer.send(make(peer));
        await expectClosing(peer);
        await until("all are gone", () => rig.gateway.stats().connections === 0);
        assert.deepEqual(stored(rig), []);
      }),
    );
  }
});

describe("requests that are refused", () => {
  test(
    "unknown codes and packets without a head: their payload is passed over",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      for (const [code, size] of [
        [4711, 5000],
        [1600, 16],
        [0, 0],
        [REQUEST.packet, 0],
        [REQUEST.packet, 266],
      ] as const) {
        await peer.send(encodeRequestHeader(peer.id, code, size), new Uint8Array(size).fill(3));
        await expectRefusal(peer);
      }
      await expectInStep(peer);
    }),
  );

  test(
    "packets without a key, or with somebody else's id",
    withRig(async (rig) => {
      const alice = await (await rig.peer()).enter("alice");
      const peer = await rig.peer();
      await peer.register("bob");
      await peer.packet({ plainBytes: 9 }, new Uint8Array(16));
      await expectRefusal(peer);
      await peer.sendKey("bob");
      const { id } = peer;
      peer.id = alice.id;
      await peer.packet({ plainBytes: 9 }, peer.encrypt(hello));
      await expectRefusal(peer);
      for (const code of [REQUEST.checksumRight, REQUEST.checksumWrong, REQUEST.checksumFailed]) {
        await peer.name(code, "file");
        await expectRefusal(peer);
      }
      peer.id = id;
      await expectInStep(peer);
    }),
  );

  test(
    "packets whose fields contradict each other",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      const content = new Uint8Array(32);
      const bad = [
        { cipherBytes: 0 },
        { cipherBytes: 31 },
        { cipherBytes: 33 },
        { cipherBytes: 2 ** 32 - 1 },
        { number: 0 },
        { number: 2, total: 1 },
        { number: 65_535, total: 65_534 },
        { number: 1, total: 0 },
        { number: 2, total: 2 },
      ];
      for (const [i, head] of bad.entries()) {
        await peer.packet({ plainBytes: 20, name: `bad-${i}`, ...head }, content);
        await expectRefusal(peer);
      }
      await peer.packet({ name: "empty" }, new Uint8Array(0));
      await expectRefusal(peer);
      await expectInStep(peer);
      assert.deepEqual(stored(rig), ["alice/in-step"]);
    }),
  );

  test(
    "names that are no file names, and nothing is made anywhere",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      const names = [
        ...[
          "",
          ".",
          "..",
          "../x",
          "a/b",
          "a\\b",
          "/etc/passwd",
          "C:\\x",
          "CON",
          "nul.txt",
          "COM1",
          "a:b",
          "a*",
          "a\nb",
        ],
        ...["a\u2215b", "a\u202eb", " a", "a ", "a.", "\u0001", "a\u200bb", "e\u0301"],
      ];
      for (const name of names) {
        await peer.packet({ plainBytes: 9, name }, peer.encrypt(hello));
        await expectRefusal(peer);
      }
      await expectInStep(peer);
      assert.deepEqual(stored(rig), ["alice/in-step"]);
      assert.deepEqual(readdirSync(rig.folder).sort(), ["data", "received"]);
    }),
  );

  test(
    "names without a NUL, or no UTF-8",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      for (const fill of [0x61, 0xff]) {
        const head = new Uint8Array(267).fill(fill, 12);
        head.set([16, 0, 0, 0, 9, 0, 0, 0, 1, 0, 1, 0]);
        await peer.send(encodeRequestHeader(peer.id, REQUEST.packet, 283), head, new Uint8Array(16));
        await expectRefusal(peer);
      }
      await expectInStep(peer);
    }),
  );

  test(
    "a name of 254 bytes is stored, as is the one before it",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      for (const text of ["old", "new"]) await peer.upload("n".repeat(254), utf8(text));
      const [one, two] = stored(rig);
      assert.equal(stored(rig).length, 2);
      const texts = [one!, two!].map((path) => readFileSync(join(rig.received, path), "utf8"));
      assert.deepEqual(texts.sort(), ["new", "old"]);
    }),
  );

  test(
    "a total or size that changes: one answer for the file, however many packets follow",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      const packets = peer.packets(pseudoRandomBytes(4, 10_000), "changing", 1000);
      for (const change of [{ plainBytes: 9_999 }, { total: 12 }]) {
        await peer.packet(packets[0]!.head, packets[0]!.content);
        await peer.packet({ ...packets[1]!.head, ...change }, packets[1]!.content);
        const { total = packets.length } = change as { total?: number };
        for (const { head, content } of packets.slice(2)) await peer.packet({ ...head, total }, content);
        await expectRefusal(peer);
        await expectInStep(peer);
      }
      assert.ok(!stored(rig).includes("alice/changing"));
    }),
  );

  test(
    "content that is not what it was said to be: 1607 after the last packet, and nothing is kept",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      const plain = pseudoRandomBytes(6, 5000);
      const cipher = peer.encrypt(plain);
      const wrong: [string, Uint8Array, number][] = [
        ["longer than said", cipher, 4999],
        ["shorter than said", cipher, 5001],
        ["empty, it says", cipher, 0],
        ["cut inside a block", cipher.subarray(0, 5001), 5000],
        ["without padding", peer.encrypt(plain.subarray(0, 4992)).subarray(0, 4992), 4992],
        ["damaged padding", cipher.with(cipher.length - 20, cipher[cipher.length - 20]! ^ 1), 5000],
        ["not encrypted", new Uint8Array(5008).fill(0x20), 5000],
      ];
      for (const [what, content, plainBytes] of wrong) {
        const total = Math.ceil(content.length / 1000);
        for (let i = 0; i < total; i++) {
          const part = content.subarray(i * 1000, i * 1000 + 1000);
          await peer.packet({ name: what, plainBytes, number: i + 1, total }, part);
        }
        await expectRefusal(peer);
        await peer.name(REQUEST.checksumRight, what);
        await expectRefusal(peer);
      }
      await expectInStep(peer);
      assert.deepEqual(stored(rig), ["alice/in-step"]);
    }),
  );
});

describe("words on checksums", () => {
  test(
    "1029 for what was not sent, not finished, or confirmed already",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      await peer.name(REQUEST.checksumRight, "never");
      await expectRefusal(peer);
      const [first] = peer.packets(pseudoRandomBytes(1, 5000), "half", 2000);
      await peer.packet(first!.head, first!.content);
      await peer.name(REQUEST.checksumRight, "half");
      await expectRefusal(peer);
      await peer.upload("done", hello);
      await peer.name(REQUEST.checksumRight, "done");
      await expectRefusal(peer);
      await peer.name(REQUEST.checksumRight, "../../etc/passwd");
      await expectRefusal(peer);
      await expectInStep(peer);
      assert.deepEqual(
        stored(rig).filter((path) => path.startsWith("alice")),
        ["alice/done", "alice/in-step"],
      );
    }),
  );

  test(
    "1030 is not answered; the file comes again and can be confirmed",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      for (let round = 0; round < 3; round++) {
        assert.equal(codeOf(await peer.sendFile("a", hello)), REPLY.fileReceived);
        await peer.name(REQUEST.checksumWrong, "a");
      }
      await peer.upload("a", hello);
      assert.deepEqual(stored(rig), ["alice/a"]);
    }),
  );

  test(
    "1030 is answered when that is asked for",
    withRig(
      async (rig) => {
        const peer = await (await rig.peer()).enter("alice");
        assert.equal(codeOf(await peer.sendFile("a", hello)), REPLY.fileReceived);
        await peer.name(REQUEST.checksumWrong, "a");
        assert.equal(await peer.nextCode(), REPLY.acknowledged);
        await peer.upload("a", hello);
      },
      { answerResend: true },
    ),
  );

  test(
    "one file is not taken for ever",
    withRig(
      async (rig) => {
        const peer = await (await rig.peer()).enter("alice");
        for (let round = 0; round < 3; round++) {
          assert.equal(codeOf(await peer.sendFile("a", hello)), REPLY.fileReceived);
          await peer.name(REQUEST.checksumWrong, "a");
        }
        assert.equal(codeOf(await peer.sendFile("a", hello)), REPLY.error);
        assert.equal(await peer.next(), "closed");
      },
      { limits: { resends: 2 } },
    ),
  );

  test(
    "1031 drops the upload, and never touches what is stored",
    withRig(async (rig) => {
      const peer = await (await rig.peer()).enter("alice");
      await peer.upload("kept", hello);
      mkdirSync(join(rig.received, "x"));
      writeFileSync(join(rig.received, "x", "y"), "z");
      assert.equal(codeOf(await peer.sendFile("kept", hello)), REPLY.fileReceived);
      for (const name of ["kept", "kept", "../x/y", "/etc/passwd", "never"]) {
        await peer.name(REQUEST.checksumFailed, name);
        assert.equal(await peer.nextCode(), REPLY.acknowledged);
      }
      await peer.name(REQUEST.checksumRight, "kept");
      await expectRefusal(peer);
      assert.deepEqual(stored(rig), ["alice/kept", "x/y"]);
    }),
  );
});

describe("who is let in", () => {
  test(
    "names that are listed",
    withRig(
      async (rig) => {
        const peer = await rig.peer();
        assert.equal(codeOf(await peer.register("bob")), REPLY.error);
        await peer.enter("alice");
        await peer.upload("f", hello);
      },
      { admission: { names: ["alice"] } },
    ),
  );

  for (const by of ["the start", "people"] as const) {
    test(`names until the day on which they are retired, set by ${by}`, async () => {
      const day = Date.parse("2027-06-30T00:00:00Z");
      let now = day - 1000;
      const retire = by === "the start" ? ["alice=2027-06-30"] : ["alice=2028-01-01", "bob=2027-01-01"];
      const options = { admission: { retire }, clock: { ...systemClock, now: () => now } };
      await withRig(async (rig) => {
        const first = await (await rig.peer()).enter("alice");
        if (by === "people") rig.gateway.clients.retire("alice", day);
        const peer = await rig.peer();
        await peer.reconnect("alice", first.id);
        await first.upload("f", hello);
        assert.equal(rig.gateway.judgeName("alice"), "allowed");
        now = day;
        assert.equal(rig.gateway.judgeName("alice"), "retired");
        assert.equal(codeOf(await peer.sendFile("g", hello)), REPLY.error);
        const back = await rig.peer();
        assert.equal(codeOf(await back.reconnect("alice", first.id)), REPLY.error);
        assert.equal(codeOf(await back.register("alice")), REPLY.error);
        assert.deepEqual(stored(rig), ["alice/f"]);
      }, options)();
    });
  }

  test(
    "networks that are listed; others hear nothing",
    withRig(
      async (rig) => {
        const peer = await rig.peer();
        assert.equal(await peer.next(), "closed");
      },
      { admission: { networks: ["192.0.2.0/24", "2001:db8::/32"] } },
    ),
  );

  test(
    "this network, when it is listed",
    withRig(async (rig) => void (await (await rig.peer()).enter("alice")), {
      admission: { networks: ["127.0.0.0/8"] },
    }),
  );

  test("rules that cannot be read stop the start", async () => {
    for (const admission of [
      { networks: ["nonsense"] },
      { networks: ["192.0.2.0/33"] },
      { networks: ["192.0.2.0/24/1"] },
      { retire: ["alice"] },
      { retire: ["alice=soon"] },
      { retire: ["alice=2027-02-30"] },
      { retire: ["=2027-01-01"] },
    ]) {
      await assert.rejects(startRig({ admission }), { code: "usage" }, JSON.stringify(admission));
    }
  });
});

describe("connections", () => {
  test(
    "that are silent are closed, without a word",
    withRig(
      async (rig) => {
        const [fresh, half] = [await rig.peer(), await (await rig.peer()).enter("alice")];
        const [first] = half.packets(pseudoRandomBytes(1, 5000), "half", 2000);
        await half.packet(first!.head, first!.content);
        assert.equal(await fresh.next(), "closed");
        assert.equal(await half.next(), "closed");
        await until("all are gone", () => rig.gateway.stats().connections === 0);
        assert.deepEqual(stored(rig), []);
      },
      { limits: { idleMs: 1000 } },
    ),
  );

  test(
    "that drip without logging in count as silent",
    withRig(
      async (rig) => {
        const peer = await rig.peer();
        const bytes = encodeNameRequest(REQUEST.register, undefined, "drip");
        for (let at = 0; (await Promise.race([peer.next(), tick()])) !== "closed"; at++) {
          assert.ok(at < bytes.length, "it was let drip to the end");
          await peer.send(bytes.subarray(at, at + 1));
        }
      },
      { limits: { idleMs: 80 } },
    ),
  );

  test(
    "end when their time is over, however busy",
    withRig(
      async (rig) => {
        const peer = await (await rig.peer()).enter("alice");
        let uploads = 0;
        for (;;) {
          await peer.name(REQUEST.checksumFailed, "x");
          if ((await peer.nextCode()) === "closed") break;
          assert.ok(uploads++ < 1_000_000);
        }
      },
      { limits: { sessionMs: 600 } },
    ),
  );

  test(
    "above the limit get 1607",
    withRig(
      async (rig) => {
        const held = [await (await rig.peer()).enter("a"), await (await rig.peer()).enter("b")];
        await expectClosing(await rig.peer());
        await held[0]!.upload("f", hello);
        assert.equal(rig.gateway.stats().turnedAway, 1);
      },
      { limits: { connections: 2 } },
    ),
  );

  test(
    "that never logged in make room for new ones, those with uploads do not",
    withRig(
      async (rig) => {
        const alice = await (await rig.peer()).enter("alice");
        const silent = await rig.peer();
        for (const name of ["b", "c", "d"]) await (await rig.peer()).enter(name);
        assert.equal(await silent.next(), "closed");
        await alice.upload("f", hello);
        await expectClosing(await rig.peer());
      },
      { limits: { connections: 4, patienceMs: 0 } },
    ),
  );

  test(
    "10,000 half-open ones leave the gateway serving",
    withRig(
      async (rig) => {
        const alice = await (await rig.peer()).enter("alice");
        for (let i = 0; i < 10_000; i++) await rig.peer();
        await alice.upload("f", hello);
        assert.ok(rig.gateway.stats().connections <= 50);
        await (await rig.peer()).enter("bob");
      },
      { limits: { connections: 50, patienceMs: 0 } },
    ),
  );

  test(
    "that break in the middle of anything leave nothing",
    withRig(async (rig) => {
      const bytes = pseudoRandomBytes(2, 300_000);
      for (const breakAt of [1, 22, 23, 100, 23 + 267, 23 + 268, 70_000, 200_000]) {
        const peer = await (await rig.peer()).enter(`at-${breakAt}`);
        const packets = peer.packets(bytes, "half", 65_536);
        const stream = concatBytes(
          packets.flatMap(({ head, content }) => {
            const start = encodeRequestHeader(peer.id, REQUEST.packet, 267 + content.length);
            const middle = new Uint8Array(267);
            const view = new DataView(middle.buffer);
            view.setUint32(0, content.length, true);
            view.setUint32(4, head.plainBytes, true);
            view.setUint16(8, head.number, true);
            view.setUint16(10, head.total, true);
            middle.set(utf8("half"), 12);
            return [start, middle, content];
          }),
        );
        await peer.send(stream.subarray(0, breakAt));
        peer.destroy();
      }
      const received = await (await rig.peer()).enter("received");
      assert.equal(codeOf(await received.sendFile("f", bytes)), REPLY.fileReceived);
      received.destroy();
      await until("all are gone", () => rig.gateway.stats().connections === 0);
      assert.deepEqual(stored(rig), []);
    }),
  );

  test(
    "200 at once, each with its own file",
    withRig(async (rig) => {
      const bytes = pseudoRandomBytes(8, 100_000);
      await Promise.all(
        Array.from({ length: 200 }, async (_, i) => {
          const peer = await (await rig.peer()).enter(`user-${i}`);
          await peer.upload(`file-${i}`, bytes.subarray(i * 100));
        }),
      );
      assert.equal(stored(rig).length, 200);
      for (let i = 0; i < 200; i += 17) {
        const found = readFileSync(join(rig.received, `user-${i}`, `file-${i}`));
        assert.deepEqual(new Uint8Array(found), bytes.subarray(i * 100));
      }
    }),
  );

  test(
    "that wait for a place get it, and one that holds it in silence loses it",
    withRig(
      async (rig) => {
        const holder = await (await rig.peer()).enter("holder");
        const [first] = holder.packets(pseudoRandomBytes(1, 5000), "half", 2000);
        await holder.packet(first!.head, first!.content);
        await until("the upload has begun", () => rig.gateway.stats().uploads > 0);
        const waiting = await (await rig.peer()).enter("waiting");
        await waiting.upload("f", hello);
        assert.equal(await holder.next(), "closed");
        assert.deepEqual(stored(rig), ["waiting/f"]);
      },
      { limits: { uploads: 1, patienceMs: 40 } },
    ),
  );
});

describe("a store that fails", () => {
  const failing =
    (at: "begin" | "write" | "commit") =>
    async (folder: string): Promise<UploadStore> => {
      const store = await openPlainStore(folder);
      const fail = () => Promise.reject(new Error("the disk is gone"));
      return {
        ...store,
        begin: async (file) => {
          if (file.name === "in-step") return store.begin(file);
          if (at === "begin") return fail();
          const upload = await store.begin(file);
          return {
            write: at === "write" ? fail : (bytes) => upload.write(bytes),
            commit: at === "commit" ? () => upload.abort().then(fail) : () => upload.commit(),
            abort: () => upload.abort(),
          };
        },
      };
    };
  for (const at of ["begin", "write", "commit"] as const) {
    test(
      `at ${at} gives 1607 and leaves nothing`,
      withRig(
        async (rig) => {
          const peer = await (await rig.peer()).enter("alice");
          const reply = codeOf(await peer.sendFile("f", hello));
          if (at === "commit") {
            assert.equal(reply, REPLY.fileReceived);
            await peer.name(REQUEST.checksumRight, "f");
            await expectRefusal(peer);
          } else assert.equal(reply, REPLY.error);
          await expectInStep(peer);
          assert.deepEqual(stored(rig), ["alice/in-step"]);
        },
        { openStore: failing(at) },
      ),
    );
  }
});

test("two gateways do not share a folder", async () => {
  const rig = await startRig();
  try {
    await assert.rejects(startRig({ dataDir: join(rig.folder, "data") }), { code: "gateway_busy" });
    await assert.rejects(openPlainStore(rig.received), { code: "gateway_busy" });
  } finally {
    await rig.stop();
  }
});

test("what a killed gateway left is swept at the next start, and nothing else", async () => {
  const rig = await startRig();
  try {
    await (await (await rig.peer()).enter("alice")).upload("f", hello);
    await rig.gateway.close();
    writeFileSync(join(rig.received, ".incoming", `${"0a".repeat(12)}.part`), "half of a file");
    writeFileSync(join(rig.received, ".incoming", "mine.txt"), "somebody put this here");
    const store = await openPlainStore(rig.received);
    await store.close();
    assert.deepEqual(stored(rig), [".incoming/mine.txt", "alice/f"]);
  } finally {
    await rig.stop();
  }
});

function tick(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
