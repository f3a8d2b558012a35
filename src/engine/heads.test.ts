import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Bytes } from "../core/bytes.ts";
import { type ErrorCode, isAppError } from "../core/errors.ts";
import type { SnapshotId, VaultId } from "../core/ids.ts";
import { encodeLogEntry, LOG_START, type LogEntry } from "../wire/v4/log-entry.ts";
import type { LogHead } from "../wire/v4/vault-port.ts";
import { acceptHead, checkHead, checkRecordHead } from "./heads.ts";

const VAULT = "0a".repeat(16) as VaultId;
const LENGTH = 600;

type Entry = { readonly bytes: Bytes; readonly id: string };

/** Entries 1 to `length`; from `fork` on they are others than those of another flavour. */
async function makeLog(length: number, flavour = 0, fork = length): Promise<Entry[]> {
  const log: Entry[] = [];
  for (let seq = 1; seq <= length; seq++) {
    const snapshot = seq.toString(16).padStart(64, seq >= fork ? String(flavour) : "0") as SnapshotId;
    log.push(await encodeLogEntry(entry(seq, log.at(-1)?.id ?? LOG_START, snapshot)));
  }
  return log;
}

function entry(seq: number, prev: string, snapshot: SnapshotId): LogEntry {
  return { seq, prev, at: 1, by: undefined, sig: undefined, type: "commit", body: { snapshot } };
}

const LOG = await makeLog(LENGTH);
const FORKED = await makeLog(LENGTH, 1, 300);

function vaultWith(log: readonly Entry[], head: LogHead = headOf(log)) {
  return {
    vaultId: VAULT,
    head: async () => head,
    logAfter: async (seq: number, limit: number) => log.slice(seq, seq + limit).map(({ bytes }) => bytes),
  };
}

function headOf(log: readonly Entry[]): LogHead {
  return { seq: log.length, id: log.at(-1)?.id ?? LOG_START };
}

let saved: LogHead | undefined;
let saves: number;
const home = {
  head: async () => saved,
  saveHead: async (_: VaultId, head: LogHead) => {
    saved = head;
    saves++;
  },
};
beforeEach(() => {
  saved = undefined;
  saves = 0;
});

const code = (expected: ErrorCode) => (error: unknown) => isAppError(error, expected);

describe("the rollback check", () => {
  test("remembers the head, the first time and when the log has grown", async () => {
    for (const length of [1, 2, 2, 300, LENGTH, LENGTH]) {
      const head = await checkHead({ vault: vaultWith(LOG.slice(0, length)), home });
      assert.deepEqual(head, headOf(LOG.slice(0, length)));
      assert.deepEqual(saved, head);
    }
    assert.equal(saves, 4);
  });

  test("refuses a log that ends earlier, is another one, or forked before or after what was seen", async () => {
    saved = headOf(LOG.slice(0, 400));
    for (const log of [
      LOG.slice(0, 399),
      LOG.slice(0, 1),
      FORKED,
      FORKED.slice(0, 400),
      [...LOG.slice(0, 450), ...FORKED.slice(450)],
    ]) {
      await assert.rejects(checkHead({ vault: vaultWith(log), home }), code("rollback"));
      assert.deepEqual(saved, headOf(LOG.slice(0, 400)));
    }
    assert.equal((await checkHead({ vault: vaultWith(LOG), home })).seq, LENGTH);
  });

  test("refuses a head that is not the log's, and entries that are missing or stand elsewhere", async () => {
    saved = headOf(LOG.slice(0, 10));
    const head = headOf(LOG);
    for (const vault of [
      vaultWith(LOG, headOf(FORKED)),
      vaultWith(LOG.slice(0, 500), head),
      vaultWith(LOG.toSpliced(20, 1), head),
      vaultWith(LOG.toSpliced(9, 1), head),
      vaultWith(LOG.toSpliced(20, 2, LOG[21]!, LOG[20]!), head),
      vaultWith([], head),
    ]) {
      await assert.rejects(checkHead({ vault, home }), code("rollback"));
    }
    saved = undefined;
    await assert.rejects(checkHead({ vault: vaultWith(LOG, headOf(FORKED)), home }), code("rollback"));
    await assert.rejects(checkHead({ vault: vaultWith([]), home }), code("log_corrupt"));
  });

  test("says when the log is shorter, and refuses entries that are numbered otherwise than they stand", async () => {
    saved = headOf(LOG.slice(0, 400));
    await assert.rejects(
      checkHead({ vault: vaultWith(LOG.slice(0, 399)), home }),
      /ends at entry 399, .* has seen entry 400/,
    );
    saved = headOf(LOG.slice(0, 10));
    const odd = [...LOG.slice(0, 10), await encodeLogEntry(entry(12, LOG[9]!.id, "00".repeat(32) as SnapshotId))];
    await assert.rejects(checkHead({ vault: vaultWith(odd), home }), code("rollback"));
  });

  test("names the entry that is damaged", async () => {
    saved = headOf(LOG.slice(0, 10));
    const bytes = Uint8Array.from(LOG[30]!.bytes);
    bytes[40]! ^= 1;
    const vault = vaultWith(LOG.with(30, { bytes, id: LOG[30]!.id }));
    await assert.rejects(
      checkHead({ vault, home }),
      (error) => isAppError(error, "log_corrupt") && error.context.seq === 31,
    );
  });

  test("never remembers less than another process has seen meanwhile", async () => {
    const vault = vaultWith(LOG.slice(0, 20));
    const slow = {
      ...vault,
      logAfter: async (seq: number, limit: number) => {
        saved = headOf(LOG);
        return vault.logAfter(seq, limit);
      },
    };
    await checkHead({ vault: slow, home });
    assert.deepEqual(saved, headOf(LOG));
  });

  test("takes what a person accepts, but no log without its head", async () => {
    saved = headOf(LOG);
    assert.deepEqual(await acceptHead({ vault: vaultWith(FORKED.slice(0, 350)), home }), headOf(FORKED.slice(0, 350)));
    assert.deepEqual(saved, headOf(FORKED.slice(0, 350)));
    assert.equal((await checkHead({ vault: vaultWith(FORKED), home })).seq, LENGTH);
    await assert.rejects(acceptHead({ vault: vaultWith(LOG, headOf(FORKED)), home }), code("rollback"));
  });
});

describe("heads in snapshot records", () => {
  const recordAt = (log: readonly Entry[], seq: number) => ({
    headSeq: seq,
    head: seq === 0 ? LOG_START : log[seq - 1]!.id,
  });

  test("that the log has are accepted, in any order and far apart", async () => {
    const records = [599, 1, 1, 600, 0, 258, 257, 256, 2].map((seq) => recordAt(LOG, seq));
    await checkRecordHead({ vault: vaultWith(LOG), records });
    await checkRecordHead({ vault: vaultWith(LOG), records: [] });
  });

  test("of another history, or beyond the end, are refused", async () => {
    for (const bad of [
      recordAt(FORKED, 300),
      recordAt(FORKED, 600),
      { headSeq: 601, head: LOG[0]!.id },
      { headSeq: 0, head: LOG[0]!.id },
      { headSeq: 2, head: LOG[0]!.id },
    ]) {
      const records = [recordAt(LOG, 5), bad, recordAt(LOG, 400)];
      await assert.rejects(checkRecordHead({ vault: vaultWith(LOG), records }), code("rollback"));
    }
  });
});
