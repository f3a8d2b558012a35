import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  DEVICE,
  KEYSLOT,
  logChain,
  logEvents,
  OTHER_SNAPSHOT,
  PUBLIC_KEY,
  SNAPSHOT,
  TIME,
} from "../../../tests/samples.ts";
import { toHex } from "../../core/bytes.ts";
import type { DeviceId, KeyslotId, SnapshotId } from "../../core/ids.ts";
import { decodeLogEntry, encodeLogEntry, type LogEntry, type LogEvent, logStatement } from "./log-entry.ts";
import { applyLogEntry, emptyLogState, isPinned, type LogState } from "./log-state.ts";

const [genesis, deviceAdd, keyslotAdd, commit] = logEvents as [LogEvent, LogEvent, LogEvent, LogEvent];
const snapshot = SNAPSHOT;
const STRANGER = "99".repeat(16) as DeviceId;

type Change = Partial<Pick<LogEntry, "at" | "by" | "sig" | "seq" | "prev">>;

/** The next entry that says `event`; its id is made up. */
function next(state: LogState, event: LogEvent, change: Change = {}): LogEntry & { id: string } {
  const seq = state.seq + 1;
  const entry = { ...event, seq, prev: state.head, at: TIME + seq, by: undefined, sig: undefined, ...change };
  return { ...entry, id: seq.toString(16).padStart(64, "0") };
}

function stateAfter(...events: readonly LogEvent[]): LogState {
  const state = emptyLogState();
  for (const event of [genesis, deviceAdd, ...events]) applyLogEntry(state, next(state, event));
  return state;
}

function refuses(state: LogState, event: LogEvent, change: Change = {}): void {
  const before = structuredClone(state);
  assert.throws(() => applyLogEntry(state, next(state, event, change)), { code: "log_corrupt" });
  assert.deepEqual(state, before, "a refused entry must change nothing");
}

describe("the chain", () => {
  test("a whole life is replayed", async () => {
    const state = emptyLogState();
    for (const { bytes } of await logChain(logEvents)) applyLogEntry(state, await decodeLogEntry(bytes));
    assert.equal(state.seq, logEvents.length);
    assert.equal(state.devices.get(DEVICE)?.revoked, true);
    assert.equal(state.devices.get(DEVICE)?.group, null);
    assert.equal(state.keyslots.size, 0);
    assert.equal(state.snapshots.get(SNAPSHOT)?.state, "live");
    assert.equal(state.snapshots.get(SNAPSHOT)?.receivedAt, TIME + 3 * 60_000);
    assert.equal(state.snapshots.get(OTHER_SNAPSHOT)?.state, "purged");
  });

  test("a gap, a fork and a second beginning are refused", () => {
    refuses(stateAfter(), commit, { seq: 4 });
    refuses(stateAfter(), commit, { seq: 2 });
    refuses(stateAfter(), commit, { prev: "ab".repeat(32) });
    refuses(stateAfter(), genesis);
    refuses(emptyLogState(), deviceAdd);
  });

  test("only devices that are enrolled ask for anything, and one may introduce itself", () => {
    refuses(stateAfter(), commit, { by: STRANGER });
    refuses(stateAfter({ type: "device-revoke", body: { device: DEVICE } }), commit, { by: DEVICE });
    refuses(stateAfter(), commit, { sig: new Uint8Array(64) });
    const state = emptyLogState();
    applyLogEntry(state, next(state, genesis));
    applyLogEntry(state, next(state, deviceAdd, { by: DEVICE }));
    assert.equal(state.devices.size, 1);
  });
});

describe("devices and keyslots", () => {
  test("come once and go once", () => {
    refuses(stateAfter(), deviceAdd);
    refuses(stateAfter(), { type: "device-revoke", body: { device: STRANGER } });
    const revoke: LogEvent = { type: "device-revoke", body: { device: DEVICE } };
    refuses(stateAfter(revoke), revoke);
    refuses(stateAfter(revoke), deviceAdd);
    refuses(stateAfter(keyslotAdd), keyslotAdd);
    const remove: LogEvent = { type: "keyslot-remove", body: { id: KEYSLOT } };
    refuses(stateAfter(), remove);
    refuses(stateAfter(keyslotAdd, remove), remove);
  });
});

describe("snapshots", () => {
  const of = (type: "remove" | "undelete" | "purge" | "unpin"): LogEvent => ({ type, body: { snapshot } });
  const pin = (until: number): LogEvent => ({ type: "pin", body: { snapshot, until } });

  test("move only from live to trash and back, or to purged", () => {
    const allowed: Record<string, readonly LogEvent[]> = {
      unknown: [],
      live: [commit],
      trash: [commit, of("remove")],
      purged: [commit, of("remove"), of("purge")],
    };
    const fits: Record<string, readonly string[]> = {
      unknown: ["commit"],
      live: ["remove", "pin"],
      trash: ["undelete", "purge"],
      purged: [],
    };
    for (const [name, history] of Object.entries(allowed)) {
      for (const event of [commit, of("remove"), of("undelete"), of("purge"), of("unpin"), pin(0)]) {
        const state = stateAfter(...history);
        if (fits[name]!.includes(event.type)) applyLogEntry(state, next(state, event));
        else refuses(state, event);
      }
    }
  });

  test("that are pinned are not removed, until the date has come", () => {
    refuses(stateAfter(commit, pin(0)), of("remove"), { at: TIME * 2 });
    refuses(stateAfter(commit, pin(TIME + 100)), of("remove"), { at: TIME + 99 });
    const state = stateAfter(commit, pin(TIME + 100));
    applyLogEntry(state, next(state, of("remove"), { at: TIME + 100 }));
    assert.equal(state.snapshots.get(snapshot)?.pinnedUntil, undefined);
  });

  test("a pin with a date is a lock: nobody shortens it by unpinning or pinning again", () => {
    const locked = stateAfter(commit, pin(TIME + 100));
    for (const event of [of("unpin"), pin(TIME + 99), pin(0)]) refuses(locked, event, { at: TIME + 50 });
    applyLogEntry(locked, next(locked, pin(TIME + 200), { at: TIME + 50 }));
    applyLogEntry(locked, next(locked, of("unpin"), { at: TIME + 200 }));
    assert.equal(isPinned(locked.snapshots.get(snapshot)!, TIME), false);
  });

  test("a pin without a date holds until it is taken off", () => {
    const state = stateAfter(commit, pin(0));
    assert.equal(isPinned(state.snapshots.get(snapshot)!, TIME * 2), true);
    applyLogEntry(state, next(state, of("unpin")));
    applyLogEntry(state, next(state, of("remove")));
    refuses(state, of("unpin"));
  });
});

describe("entries", () => {
  test("whose ids do not fit what they name are refused", async () => {
    const wrong: LogEvent[] = [
      { type: "device-add", body: { device: STRANGER, name: "x", publicKey: PUBLIC_KEY } },
      {
        type: "keyslot-add",
        body: { hash: "11".repeat(32), id: "22".repeat(16) as KeyslotId, kind: "recovery", label: "" },
      },
      {
        type: "keyslot-add",
        body: { hash: "11".repeat(32), id: "11".repeat(16) as KeyslotId, kind: "other" as never, label: "" },
      },
      { type: "commit", body: { snapshot: "11".repeat(16) as SnapshotId } },
      { type: "device-add", body: { ...deviceAdd.body, name: "x".repeat(256) } as never },
    ];
    for (const event of wrong) {
      const { bytes } = await encodeLogEntry(next(stateAfter(), event));
      await assert.rejects(decodeLogEntry(bytes), { code: "record_corrupt" }, JSON.stringify(event));
    }
  });

  test("a statement names its vault, its type and its body", () => {
    const vault = "00".repeat(16) as never;
    const statements = [
      logStatement(vault, "remove", { snapshot }),
      logStatement(vault, "purge", { snapshot }),
      logStatement(vault, "remove", { snapshot: OTHER_SNAPSHOT }),
      logStatement("01".repeat(16) as never, "remove", { snapshot }),
    ];
    assert.equal(new Set(statements.map(toHex)).size, 4);
  });
});
