// What the entries of the vault log add up to: devices, keyslots and snapshots. Pure: it does no I/O and verifies no signature.
// An entry that does not fit the state before it is refused. Rules: docs/format.md, The vault log.

import type { Bytes } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { DeviceId, KeyslotId, SnapshotId } from "../../core/ids.ts";
import { type KeyslotKind, LOG_START, type LogBodies, type LogEntry, type TrustGroup } from "./log-entry.ts";

export type LogDevice = {
  readonly device: DeviceId;
  readonly name: string;
  readonly publicKey: Bytes;
  readonly addedAt: number;
  readonly revoked: boolean;
  readonly group: TrustGroup;
};

export type LogKeyslot = {
  readonly id: KeyslotId;
  /** SHA-256 of the keyslot file, hex. */
  readonly hash: string;
  readonly kind: KeyslotKind;
  readonly label: string;
  readonly addedAt: number;
};

export type LogSnapshot = {
  readonly id: SnapshotId;
  /** `at` of its commit entry: the time that retention counts by. */
  readonly receivedAt: number;
  /** seq of its commit entry. */
  readonly seq: number;
  readonly state: "live" | "trash" | "purged";
  readonly trashedAt: number | undefined;
  /** 0 = until it is unpinned, undefined = not pinned. */
  readonly pinnedUntil: number | undefined;
};

export type LogState = {
  /** Number and id of the last entry; 0 and zeros before the first. */
  seq: number;
  head: string;
  /** id of the vault record, hex; undefined before the first entry. */
  record: string | undefined;
  readonly devices: Map<DeviceId, LogDevice>;
  readonly keyslots: Map<KeyslotId, LogKeyslot>;
  readonly snapshots: Map<SnapshotId, LogSnapshot>;
};

export function emptyLogState(): LogState {
  return {
    seq: 0,
    head: LOG_START,
    record: undefined,
    devices: new Map(),
    keyslots: new Map(),
    snapshots: new Map(),
  };
}

/** Changes `state` by the next entry, or throws `log_corrupt` and leaves it as it was. */
export function applyLogEntry(state: LogState, entry: LogEntry & { readonly id: string }): void {
  if (entry.seq !== state.seq + 1) refuse(entry, `entry ${state.seq + 1} should come next`);
  if (entry.prev !== state.head) refuse(entry, "it does not follow the entry before it");
  if ((entry.type === "genesis") !== (entry.seq === 1)) refuse(entry, "the first entry, and no other, is the genesis");
  checkAuthor(state, entry);
  applyEvent(state, entry);
  state.seq = entry.seq;
  state.head = entry.id;
}

/** True while nobody may remove the snapshot or shorten its pin. */
export function isPinned(snapshot: LogSnapshot, now: number): boolean {
  return snapshot.pinnedUntil === 0 || isLocked(snapshot, now);
}

function checkAuthor(state: LogState, entry: LogEntry): void {
  if (entry.by === undefined) {
    if (entry.sig) refuse(entry, "it is signed by nobody");
    return;
  }
  const introducesItself = entry.type === "device-add" && entry.body.device === entry.by;
  const author = state.devices.get(entry.by);
  if (!introducesItself && (!author || author.revoked)) refuse(entry, "it comes from a device that is not enrolled");
}

function applyEvent(state: LogState, entry: LogEntry): void {
  switch (entry.type) {
    case "genesis":
      state.record = entry.body.record;
      return;
    case "device-add":
      if (state.devices.has(entry.body.device)) refuse(entry, "the device is there already");
      state.devices.set(entry.body.device, { ...entry.body, addedAt: entry.at, revoked: false, group: "" });
      return;
    case "device-revoke": {
      const device = state.devices.get(entry.body.device);
      if (!device || device.revoked) refuse(entry, "the device is not enrolled");
      state.devices.set(device.device, { ...device, revoked: true });
      return;
    }
    case "device-trust": {
      // A revoked one too: what it has stored is still there to be relied on, or not.
      const device = state.devices.get(entry.body.device);
      if (!device) refuse(entry, "there is no such device");
      state.devices.set(device.device, { ...device, group: entry.body.group });
      return;
    }
    case "keyslot-add":
      if (state.keyslots.has(entry.body.id)) refuse(entry, "the keyslot is there already");
      state.keyslots.set(entry.body.id, { ...entry.body, addedAt: entry.at });
      return;
    case "keyslot-remove":
      if (!state.keyslots.delete(entry.body.id)) refuse(entry, "there is no such keyslot");
      return;
    case "commit":
      commit(state, entry, entry.body);
      return;
    case "remove":
      remove(state, entry, entry.body);
      return;
    case "undelete":
      update(state, snapshotIn(state, entry, entry.body, "trash"), { state: "live", trashedAt: undefined });
      return;
    case "purge":
      update(state, snapshotIn(state, entry, entry.body, "trash"), { state: "purged" });
      return;
    case "pin":
      pin(state, entry, entry.body);
      return;
    case "unpin":
      unpin(state, entry, entry.body);
  }
}

function commit(state: LogState, entry: LogEntry, { snapshot }: LogBodies["commit"]): void {
  if (state.snapshots.has(snapshot)) refuse(entry, "the snapshot is there already");
  state.snapshots.set(snapshot, {
    id: snapshot,
    receivedAt: entry.at,
    seq: entry.seq,
    state: "live",
    trashedAt: undefined,
    pinnedUntil: undefined,
  });
}

function remove(state: LogState, entry: LogEntry, body: LogBodies["remove"]): void {
  const snapshot = snapshotIn(state, entry, body, "live");
  if (isPinned(snapshot, entry.at)) refuse(entry, "the snapshot is pinned");
  update(state, snapshot, { state: "trash", trashedAt: entry.at, pinnedUntil: undefined });
}

/** A pin with a date that has not come can only be made longer: else pinning again would be a way around it. */
function pin(state: LogState, entry: LogEntry, body: LogBodies["pin"]): void {
  const snapshot = snapshotIn(state, entry, body, "live");
  if (isLocked(snapshot, entry.at) && body.until < snapshot.pinnedUntil!) refuse(entry, "it would shorten a pin");
  update(state, snapshot, { pinnedUntil: body.until });
}

function unpin(state: LogState, entry: LogEntry, body: LogBodies["unpin"]): void {
  const snapshot = snapshotIn(state, entry, body, "live");
  if (snapshot.pinnedUntil === undefined) refuse(entry, "the snapshot is not pinned");
  if (isLocked(snapshot, entry.at)) refuse(entry, "the snapshot is pinned until a later date");
  update(state, snapshot, { pinnedUntil: undefined });
}

function isLocked({ pinnedUntil }: LogSnapshot, now: number): boolean {
  return pinnedUntil !== undefined && pinnedUntil > now;
}

function snapshotIn(
  state: LogState,
  entry: LogEntry,
  body: { readonly snapshot: SnapshotId },
  wanted: LogSnapshot["state"],
): LogSnapshot {
  const snapshot = state.snapshots.get(body.snapshot);
  if (snapshot?.state !== wanted)
    return refuse(entry, `the snapshot is not ${wanted === "live" ? "live" : "in the trash"}`);
  return snapshot;
}

function update(state: LogState, snapshot: LogSnapshot, change: Partial<LogSnapshot>): void {
  state.snapshots.set(snapshot.id, { ...snapshot, ...change });
}

function refuse(entry: LogEntry, detail: string): never {
  throw new AppError("log_corrupt", { context: { seq: entry.seq, detail } });
}
