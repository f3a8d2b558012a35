// Small valid objects of every kind, with made-up ids, for tests that need one to start from.

import { type Bytes, fromHex, toHex } from "../src/core/bytes.ts";
import type {
  BlockId,
  ChunkId,
  DeviceId,
  KeyslotId,
  NameToken,
  SessionId,
  SnapshotId,
  VaultId,
} from "../src/core/ids.ts";
import { rawFromText } from "../src/core/raw-path.ts";
import { sha256 } from "../src/core/sha256.ts";
import type { SnapshotInfo } from "../src/engine/snapshot-info.ts";
import { encodeLogEntry, LOG_START, type LogEntry, type LogEvent } from "../src/wire/v4/log-entry.ts";
import { type BlockEntry, FRAME_HEADER_BYTES, type PackSession } from "../src/wire/v4/pack.ts";
import { encodeFooter } from "../src/wire/v4/pack-footer.ts";
import { encodeFrameHeader } from "../src/wire/v4/pack-frame.ts";
import { encodePackHeader } from "../src/wire/v4/pack-header.ts";
import { encodeRefs } from "../src/wire/v4/refs.ts";
import type { SnapshotRecord } from "../src/wire/v4/snapshot-record.ts";

/** `length` bytes that start with `first` and count up. */
export function counting(first: number, length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => first + i);
}

export const VAULT = toHex(counting(0x10, 16)) as VaultId;
export const SESSION = toHex(counting(0x20, 16)) as SessionId;
export const PLAN = toHex(counting(0x30, 16)) as NameToken;
export const SNAPSHOT = toHex(counting(0x40, 32)) as SnapshotId;
export const OTHER_SNAPSHOT = toHex(counting(0x41, 32)) as SnapshotId;
export const TIME = 1_790_000_000_000;
/** Public key of RFC 8032, 7.1, test 1. */
export const PUBLIC_KEY = fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
export const DEVICE = toHex((await sha256(PUBLIC_KEY)).subarray(0, 16)) as DeviceId;

export const snapshotRecord: SnapshotRecord = {
  vault: VAULT,
  device: DEVICE,
  session: SESSION,
  plan: PLAN,
  tags: [toHex(counting(1, 16)) as NameToken, toHex(counting(2, 16)) as NameToken],
  time: TIME,
  base: OTHER_SNAPSHOT,
  head: toHex(counting(0x50, 32)),
  headSeq: 300,
  added: 2 ** 40,
  refs: encodeRefs([1, 2, 130, 70_000]),
  key: counting(7, 200),
  info: counting(9, 300),
  sig: counting(3, 64),
};

export const snapshotInfo: SnapshotInfo = {
  root: [counting(0x60, 32) as ChunkId],
  paths: [rawFromText("/home/ann"), rawFromText("/srv/ünïcode")],
  host: "ann-laptop",
  user: "ann",
  plan: "home",
  tags: ["before the move"],
  startedAt: TIME - 60_000,
  endedAt: TIME,
  program: "cyberbackup 4.0.0",
  stats: {
    files: 1000,
    directories: 20,
    others: 3,
    bytes: 2 ** 33,
    newFiles: 10,
    changedFiles: 2,
    unchangedFiles: 988,
    addedBytes: 70_000,
  },
  errors: { count: 1, first: [{ path: rawFromText("/home/ann/secret"), reason: "EACCES" }] },
};

const KEYSLOT_HASH = toHex(counting(0x70, 32));
export const KEYSLOT = KEYSLOT_HASH.slice(0, 32) as KeyslotId;

/** One of every type, in an order that fits. */
export const logEvents: readonly LogEvent[] = [
  { type: "genesis", body: { record: toHex(counting(0x80, 32)) } },
  { type: "device-add", body: { device: DEVICE, name: "ann-laptop", publicKey: PUBLIC_KEY } },
  { type: "keyslot-add", body: { hash: KEYSLOT_HASH, id: KEYSLOT, kind: "passphrase", label: "everyday" } },
  { type: "commit", body: { snapshot: SNAPSHOT } },
  { type: "commit", body: { snapshot: OTHER_SNAPSHOT } },
  { type: "pin", body: { snapshot: SNAPSHOT, until: 0 } },
  { type: "unpin", body: { snapshot: SNAPSHOT } },
  { type: "remove", body: { snapshot: SNAPSHOT } },
  { type: "undelete", body: { snapshot: SNAPSHOT } },
  { type: "remove", body: { snapshot: OTHER_SNAPSHOT } },
  { type: "purge", body: { snapshot: OTHER_SNAPSHOT } },
  { type: "keyslot-remove", body: { id: KEYSLOT } },
  { type: "device-revoke", body: { device: DEVICE } },
  { type: "device-trust", body: { device: DEVICE, group: "guests" } },
  { type: "device-trust", body: { device: DEVICE, group: null } },
];

/** The events as a chain of entries, one a minute. */
export async function logChain(
  events: readonly LogEvent[],
): Promise<{ entry: LogEntry & { id: string }; bytes: Bytes }[]> {
  const chain: { entry: LogEntry & { id: string }; bytes: Bytes }[] = [];
  for (const event of events) {
    const entry: LogEntry = {
      ...event,
      seq: chain.length + 1,
      prev: chain.at(-1)?.entry.id ?? LOG_START,
      at: TIME + chain.length * 60_000,
      by: event.type === "genesis" || event.type === "purge" || event.type === "device-trust" ? undefined : DEVICE,
      sig: event.type === "device-add" || event.type === "remove" ? counting(5, 64) : undefined,
    };
    const { bytes, id } = await encodeLogEntry(entry);
    chain.push({ entry: { ...entry, id }, bytes });
  }
  return chain;
}

export const packSession: PackSession = { session: SESSION, device: DEVICE, sealedKey: counting(0x11, 180) };

export type SamplePack = {
  readonly header: Bytes;
  readonly frames: readonly { readonly head: Bytes; readonly sealed: Bytes }[];
  readonly footer: Bytes;
  readonly entries: readonly BlockEntry[];
};

/** A pack of two blocks whose ids fit their bytes. */
export async function samplePack(): Promise<SamplePack> {
  const header = encodePackHeader(VAULT, [packSession]);
  const shapes = [
    { length: 29, counter: 0, sessionIndex: 0, kind: 1 },
    { length: 300, counter: 7, sessionIndex: 0, kind: 2 },
  ] as const;
  const frames = shapes.map((shape) => ({
    head: encodeFrameHeader(shape),
    sealed: counting(shape.counter, shape.length),
  }));
  let offset = header.length;
  const entries: BlockEntry[] = [];
  for (const [i, shape] of shapes.entries()) {
    offset += FRAME_HEADER_BYTES;
    entries.push({
      ...shape,
      blockId: (await sha256(frames[i]!.sealed)) as BlockId,
      offset,
      signature: counting(i, 64),
      chunkIds: counting(0x90 + i, 32 * (i + 1)),
    });
    offset += shape.length;
  }
  return { header, frames, footer: encodeFooter(entries), entries };
}
