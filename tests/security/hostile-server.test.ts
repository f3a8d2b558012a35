// A server that does what it likes with what it was given. One attack a test; each is noticed by the client, by the check that a person
// or a run makes anyway. What nobody can prevent is that it keeps things back altogether.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { unlock } from "../../src/client/unlock.ts";
import { type Bytes, toHex } from "../../src/core/bytes.ts";
import { type ErrorCode, isAppError } from "../../src/core/errors.ts";
import type { SnapshotId } from "../../src/core/ids.ts";
import { sealKeyslot } from "../../src/crypto/keyslot.ts";
import { generateSecrets } from "../../src/crypto/secrets.ts";
import { checkHead, checkRecordHead, requireCommitted } from "../../src/engine/heads.ts";
import { checkLog } from "../../src/engine/reader/check-log.ts";
import { openReader } from "../../src/engine/reader/reader.ts";
import { listSnapshots } from "../../src/engine/reader/snapshots.ts";
import { verifyContents } from "../../src/engine/reader/verify.ts";
import type { RemoteVault } from "../../src/engine/remote/remote-vault.ts";
import { decodeFound, encodeFound } from "../../src/wire/v4/api/chunk-answers.ts";
import { decodeLogEntry, encodeLogEntry, type LogEntry } from "../../src/wire/v4/log-entry.ts";
import type { LogHead } from "../../src/wire/v4/vault-port.ts";
import { platform } from "../platform.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { newSite, type Site } from "../remote/site.ts";
import { deviceAdd, newDevice, signed } from "../vault/kit.ts";

let site: Site;
let vault: RemoteVault;
let change: Site["server"]["change"];
let first: SnapshotId;
let second: SnapshotId;
/** What this machine remembers. */
let home: ReturnType<typeof memory>;

const noticed =
  (...codes: ErrorCode[]) =>
  (error: unknown) => {
    assert.ok(isAppError(error), String(error));
    assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
    return true;
  };

before(async () => {
  site = await newSite();
  const { disk } = site.rig;
  for (let i = 0; i < 3; i++) disk.write(`/a/${i}`, pseudoRandomBytes(20 + i, 200_000));
  vault = await site.connect();
  first = (await site.rig.run({ vault, level: 0 })).snapshot!;
  disk.write("/b/new", pseudoRandomBytes(30, 300_000));
  second = (await site.rig.run({ vault, level: 0 })).snapshot!;
});

beforeEach(async () => {
  for (const name of Object.keys(site.server.change)) delete site.server.change[name as never];
  change = site.server.change;
  vault = await site.connect();
  home = memory();
  await checkHead({ vault, home });
});

after(() => site.remove());

function memory(head?: LogHead) {
  let known = head;
  return {
    head: async () => known,
    saveHead: async (_: unknown, next: LogHead) => {
      known = next;
    },
  };
}

const reader = () => openReader({ vault, secrets: site.rig.secrets, platform });
const readAll = (expression = "latest") => site.rig.readBack(expression, reader());
test("an honest server passes every check that the attacks below must fail", async () => {
  await checkHead({ vault, home });
  assert.deepEqual(await checkLog(vault), []);
  assert.equal((await verifyContents({ reader: reader(), readData: true })).problems.length, 0);
  assert.ok((await readAll()).size > 4);
});

describe("its log", () => {
  /** The log, with entry `seq` changed and all after it chained anew, as a server could that signs nothing. */
  async function forged(
    seq: number,
    edit: (entry: LogEntry) => LogEntry | undefined,
  ): Promise<{ entries: Bytes[]; head: LogHead }> {
    const entries: Bytes[] = [];
    let [prev, next] = ["00".repeat(32), 1];
    for (const bytes of await site.server.vault.logAfter(0, 1000)) {
      const entry = await decodeLogEntry(bytes);
      const changed = entry.seq === seq ? edit(entry) : entry;
      if (!changed) continue;
      const made = await encodeLogEntry({ ...changed, seq: next++, prev });
      prev = made.id;
      entries.push(made.bytes);
    }
    return { entries, head: { seq: entries.length, id: prev } };
  }

  function show({ entries, head }: { entries: readonly Bytes[]; head: LogHead }): void {
    change.head = (answer) => ({ ...answer, ...head });
    change.log = (_, { query }) => ({
      entries: entries.slice(Number(query.get("after")), Number(query.get("after")) + Number(query.get("limit"))),
    });
  }

  test("cut back to what it was before", async () => {
    const entries = await site.server.vault.logAfter(0, 1000);
    const last = await decodeLogEntry(entries.at(-2)!);
    show({ entries: entries.slice(0, -1), head: { seq: last.seq, id: last.id } });
    await assert.rejects(checkHead({ vault, home }), noticed("rollback"));
  });

  test("another one of the same length", async () => {
    show(await forged(4, (entry) => ({ ...entry, at: entry.at + 1 })));
    await assert.rejects(checkHead({ vault, home }), noticed("rollback"));
  });

  test("another one that has grown since", async () => {
    const { entries, head } = await forged(4, (entry) => ({ ...entry, at: entry.at + 1 }));
    const last = await decodeLogEntry(entries.at(-1)!);
    const more = await encodeLogEntry({
      ...last,
      type: "remove",
      body: { snapshot: first },
      by: undefined,
      sig: undefined,
      seq: head.seq + 1,
      prev: head.id,
    } as LogEntry);
    show({ entries: [...entries, more.bytes], head: { seq: head.seq + 1, id: more.id } });
    await assert.rejects(checkHead({ vault, home }), noticed("rollback"));
  });

  test("with two entries in each other's place", async () => {
    const entries = await site.server.vault.logAfter(0, 1000);
    const head = await site.server.vault.head();
    show({ entries: [...entries.slice(0, 2), entries[3]!, entries[2]!, ...entries.slice(4)], head });
    assert.deepEqual(
      (await checkLog(vault)).map(({ code }) => code),
      ["log_corrupt"],
    );
  });

  test("with an entry left out, shown to a machine that never saw it", async () => {
    show(await forged(4, () => undefined));
    // The record of the second snapshot names the head that its device had seen.
    const records = (await listSnapshots(reader())).flatMap(({ record }) => (record ? [record] : []));
    await assert.rejects(checkRecordHead({ vault, records }), noticed("rollback"));
  });

  test("with a removal that no device has signed, in a device's name", async () => {
    const { entries, head } = await forged(0, (entry) => entry);
    const { device } = site.rig.signer;
    const made = await encodeLogEntry({
      type: "remove",
      body: { snapshot: second },
      by: device,
      sig: pseudoRandomBytes(3, 64),
      ...{ at: site.clock.now(), seq: head.seq + 1, prev: head.id },
    });
    show({ entries: [...entries, made.bytes], head: { seq: head.seq + 1, id: made.id } });
    assert.deepEqual(
      (await checkLog(vault)).map(({ code }) => code),
      ["signature_bad"],
    );
  });
});

describe("its lists", () => {
  const problems = async () => (await checkLog(vault)).map(({ object, detail }) => `${object}: ${detail}`);

  test("without the newest snapshot", async () => {
    change.snapshots = ({ tag, snapshots }) => ({ tag, snapshots: snapshots.slice(0, -1) });
    assert.match((await problems()).join(), /the log has it/);
  });

  test("with a snapshot twice as old as it is", async () => {
    change.snapshots = ({ tag, snapshots }) => ({ tag, snapshots: [{ ...snapshots[0], receivedAt: 5 }, snapshots[1]] });
    assert.match((await problems()).join(), /something else/);
  });

  test("with a live snapshot said to be in the trash", async () => {
    change.snapshots = ({ tag, snapshots }) => ({
      tag,
      snapshots: [snapshots[0], { ...snapshots[1], state: "trash", trashedAt: 9 }],
    });
    assert.match((await problems()).join(), /something else/);
  });

  test("with a snapshot of another plan", async () => {
    change.snapshots = ({ tag, snapshots }) => ({
      tag,
      snapshots: [{ ...snapshots[0], plan: "00".repeat(16) }, snapshots[1]],
    });
    await assert.rejects(readAll(first), noticed("record_corrupt"));
  });

  test("with a device of the server's own making", async () => {
    const mine = await newDevice();
    change.devices = ({ devices }) => ({
      devices: [
        ...devices,
        { device: mine.device, name: "ann-laptop", publicKey: mine.publicKey, revoked: false, group: "" },
      ],
    });
    assert.match((await problems()).join(), /list of devices/);
  });

  test("with another key for a device", async () => {
    const mine = await newDevice();
    change.devices = ({ devices }) => ({
      devices: devices.map((row: object) => ({ ...row, publicKey: mine.publicKey })),
    });
    await assert.rejects(readAll(), noticed("signature_bad"));
  });

  test("with a revoked device said to be none", async () => {
    const lost = await newDevice();
    const { vaultId } = site.server.vault;
    const { vaultAdmin } = await import("../../src/vault/admin.ts");
    const admin = vaultAdmin(site.server.vault);
    await admin.apply(await signed(vaultId, lost, deviceAdd(lost, "lost")));
    await admin.apply(await signed(vaultId, site.rig.signer, { type: "device-revoke", body: { device: lost.device } }));
    change.devices = ({ devices }) => ({ devices: devices.map((row: object) => ({ ...row, revoked: false })) });
    assert.match((await problems()).join(), /list of devices/);
  });

  test("with a device in another trust group than the log says", async () => {
    change.devices = ({ devices }) => ({ devices: devices.map((row: object) => ({ ...row, group: null })) });
    assert.match((await problems()).join(), /list of devices/);
  });
});

describe("what it stores", () => {
  test("a record in another one's place", async () => {
    const other = await site.server.vault.snapshotRecord(first);
    change.snapshotRecord = () => other;
    await assert.rejects(readAll(second), noticed("record_corrupt"));
  });

  test("a record with a bit changed", async () => {
    change.snapshotRecord = (record: Bytes) => flipped(record, 200);
    await assert.rejects(readAll(), noticed("record_corrupt", "signature_bad"));
  });

  test("a block with a bit changed", async () => {
    change.fetchBlocks = (stream: Bytes) => flipped(stream, stream.length - 20);
    await assert.rejects(readAll(), noticed("block_corrupt"));
  });

  test("blocks in another order", async () => {
    change.fetchBlocks = (stream: Bytes) => swapped(stream);
    await assert.rejects(readAll(), noticed("block_corrupt", "answer_invalid"));
  });

  test("a block cut short, or none", async () => {
    change.fetchBlocks = () => new Uint8Array(4);
    await assert.rejects(readAll(), noticed("block_corrupt"));
    change.fetchBlocks = () => new Uint8Array();
    await assert.rejects(readAll(), noticed("answer_invalid"));
  });

  test("a block that never ends, or more than were asked for", async () => {
    change.fetchBlocks = () => new Uint8Array(4).fill(255);
    await assert.rejects(readAll(), noticed("answer_invalid"));
    change.fetchBlocks = (stream: Bytes) => new Uint8Array([...stream, 0, 0, 0, 0, 0, 0, 0, 0]);
    await assert.rejects(readAll(), noticed("answer_invalid"));
  });

  test("a place that is another chunk's", async () => {
    change.locateChunks = ({ blocks, of }) => {
      const rows = site.server.vault.context.database.tuples<[number]>("SELECT blockNo FROM blocks WHERE kind = 1");
      assert.ok(rows.length > 1);
      return { blocks: [...blocks].reverse(), of };
    };
    const { problems } = await verifyContents({ reader: reader(), readData: true });
    assert.ok(
      problems.some(({ code }) => code === "chunk_corrupt" || code === "block_corrupt"),
      JSON.stringify(problems),
    );
  });

  test("a chunk said to be missing", async () => {
    change.locateChunks = ({ of }) => ({ blocks: [], of: new Uint8Array(of.length) });
    await assert.rejects(readAll(), noticed("chunk_missing"));
  });

  test("a session's key in another one's place", async () => {
    change.sessionKeys = ({ keys }) => {
      const sealed = site.server.vault.context.database.tuples<[Uint8Array]>(
        "SELECT sealedKey FROM sessions WHERE sealedKey IS NOT NULL",
      );
      return {
        keys: keys.map(({ session, key }: { session: string; key: Uint8Array }) => ({
          session,
          key: new Uint8Array(sealed.find(([other]) => toHex(other) !== toHex(key))![0]),
        })),
      };
    };
    await assert.rejects(readAll(), noticed("block_corrupt", "record_corrupt"));
  });

  test("a keyslot of the server's own making, which the passphrase opens", async () => {
    const mine = await generateSecrets(platform.random);
    const file = await sealKeyslot(mine, vault.vaultId, { passphrase: "known", logN: 10 });
    await offer(file);
    await assert.rejects(
      unlock({ vault, passphrase: "known", writer: site.rig.secrets.writer }),
      noticed("vault_mismatch"),
    );
    // A machine that is not enrolled cannot know; then nothing that is stored opens.
    const secrets = await unlock({ vault, passphrase: "known" });
    await assert.rejects(
      site.rig.readBack("latest", openReader({ vault, secrets, platform })),
      noticed("record_corrupt", "passphrase_wrong"),
    );
  });

  test("a keyslot's bytes under another one's name", async () => {
    const file = await sealKeyslot(site.rig.secrets, vault.vaultId, { passphrase: "known", logN: 10 });
    await offer(file, "00".repeat(16));
    await assert.rejects(unlock({ vault, passphrase: "known" }), noticed("record_corrupt"));
  });

  async function offer(file: Bytes, id?: string): Promise<void> {
    const { sha256 } = await import("../../src/core/sha256.ts");
    const named = id ?? toHex((await sha256(file)).subarray(0, 16));
    change.keyslots = () => ({ keyslots: [{ id: named, kind: "passphrase", label: "yours", addedAt: 1 }] });
    site.server.instead.keyslot = () => file;
  }
});

describe("its promises to a backup", () => {
  let fresh = 40;
  const backUp = async () => {
    site.rig.disk.write("/c/fresh", pseudoRandomBytes(fresh++, 100_000));
    site.rig.state = undefined;
    return site.rig.run({ vault, level: 0 });
  };

  test("a snapshot acknowledged and forgotten", async () => {
    const head = await site.server.vault.head();
    const { snapshot } = await backUp();
    // From here on it shows the log that it had before.
    const old = await site.server.vault.logAfter(0, head.seq);
    change.log = (_, { query }) => ({ entries: old.slice(Number(query.get("after"))) });
    await assert.rejects(requireCommitted({ vault, home: memory(head), snapshot: snapshot! }), noticed("rollback"));
    delete change.log;
    await requireCommitted({ vault, home: memory(head), snapshot: snapshot! });
  });

  test("a receipt for another pack", async () => {
    change.putPack = (answer) => ({ ...answer, pack: "00".repeat(32) });
    await assert.rejects(backUp(), noticed("answer_invalid"));
  });

  test("one number for two blocks, or a block too few", async () => {
    change.putPack = ({ pack, blockNos }) => ({ pack, blockNos: blockNos.map(() => 7) });
    await assert.rejects(backUp(), noticed("answer_invalid"));
    change.putPack = ({ pack, blockNos }) => ({ pack, blockNos: blockNos.slice(1) });
    await assert.rejects(backUp(), noticed("answer_invalid"));
  });

  test("chunks said to be there that are not", async () => {
    change.findChunks = (answer, { body }) => {
      const count = body.ids.length / 32;
      const found = decodeFound(count, answer, assert.fail);
      return encodeFound(found.map((blockNo) => blockNo || 1));
    };
    await backUp();
    delete change.findChunks;
    const { problems } = await verifyContents({ reader: reader() });
    assert.ok(
      problems.some(({ code }) => code === "chunk_missing"),
      JSON.stringify(problems),
    );
  });

  test("an answer about chunks that does not add up", async () => {
    change.findChunks = ({ have }) => ({ have, blockNos: new Uint8Array(3000).fill(1) });
    await assert.rejects(backUp(), noticed("answer_invalid"));
  });

  test("an answer that is something else", async () => {
    change.openSession = (answer) => ({ ...answer, leaseMs: "soon" });
    await assert.rejects(backUp());
  });

  test("a challenge of another vault", async () => {
    site.server.forgetTokens();
    change.challenge = (answer) => ({ ...answer, vault: "00".repeat(16) });
    await assert.rejects(vault.head(), noticed("login_failed"));
  });
});

function flipped(bytes: Bytes, at: number): Bytes {
  const copy = bytes.slice();
  copy[at]! ^= 1;
  return copy;
}

/** The first two blocks of a stream change places; one alone becomes another one's bytes of the same length. */
function swapped(stream: Bytes): Bytes {
  const view = new DataView(stream.buffer, stream.byteOffset);
  const length = view.getUint32(0, true);
  const end = 4 + length;
  if (end === stream.length) return new Uint8Array([...stream.subarray(0, 4), ...pseudoRandomBytes(9, length)]);
  const nextEnd = end + 4 + view.getUint32(end, true);
  return new Uint8Array([...stream.subarray(end, nextEnd), ...stream.subarray(0, end), ...stream.subarray(nextEnd)]);
}
