// The model: what a vault has promised so far, in a few maps, and the comparison with what its index and disk hold right now. It
// knows nothing of packs, leases or compaction. Operations that are under way, or whose process died, may or may not have
// happened: until the log shows it, both are fine.

import assert from "node:assert/strict";
import { concatBytes, toHex } from "../../src/core/bytes.ts";
import type { ChunkId, DeviceId, SessionId, SnapshotId } from "../../src/core/ids.ts";
import type { MemoryDisk } from "../../src/storage/memory-store.ts";
import { locateChunks } from "../../src/vault/chunks.ts";
import type { VaultContext } from "../../src/vault/context.ts";
import { currentState } from "../../src/vault/log.ts";
import { BLOCK_DROPPED, BLOCK_OK } from "../../src/vault/schema.ts";
import type { TrustGroup } from "../../src/wire/v4/log-entry.ts";
import { hashOf } from "../vault/kit.ts";

export type SnapshotState = "none" | "live" | "trash" | "purged";

export type ModelBlock = {
  /** Hash of its sealed bytes: its name here, since the answer with its number may have been lost. */
  readonly hash: string;
  readonly chunks: readonly number[];
  /** Who brought it. */
  readonly device: number;
  /** Its stored bytes were spoiled: nothing is promised for it, though a copy made before may be fine. */
  damaged: boolean;
};

export type ModelSnapshot = {
  readonly id: SnapshotId;
  /** Which block each of its chunks was committed with. */
  readonly content: ReadonlyMap<number, number>;
  state: SnapshotState;
  trashedAt: number;
  pin: number | undefined;
  /** Chunks that could be read when last looked at. */
  readonly readable: Set<number>;
};

export type ModelSession = {
  readonly id: SessionId;
  readonly device: number;
  /** Blocks that it may name in its record, by chunk. */
  readonly holds: Map<number, number>;
  /** Blocks that the vault must keep for it. */
  readonly keeps: Set<number>;
  readonly packs: { readonly bytes: Uint8Array; readonly blocks: readonly ModelBlock[] }[];
  record: { readonly bytes: Uint8Array; readonly id: SnapshotId } | undefined;
  counter: number;
  /** Its lease stands at least until then. */
  aliveUntil: number;
  /** Whether it can still be used: "maybe" after silence, or when the answer was lost. */
  state: "open" | "maybe" | "ended";
  /** Calls that are under way. */
  calls: number;
};

/** A change of a snapshot that is under way, or whose process has died. */
export type Change = {
  readonly snapshot: SnapshotId;
  readonly from: SnapshotState;
  readonly to: SnapshotState;
  readonly pin?: number | undefined;
  /** The process is gone: no more will happen, but it may have. */
  isLost: boolean;
};

type BlockRow = {
  readonly hash: string;
  readonly state: number;
  readonly packId: string;
  readonly offset: number;
  readonly length: number;
};

const NEXT_STATES = ["live", "trash", "purged"] as const;

export class Promises {
  readonly chunkIds: readonly ChunkId[];
  readonly blocks = new Map<string, ModelBlock>();
  readonly snapshots = new Map<SnapshotId, ModelSnapshot>();
  readonly sessions: ModelSession[] = [];
  readonly changes = new Set<Change>();
  /** How often a change of a snapshot was begun. */
  readonly touches = new Map<SnapshotId, number>();
  /** Which block bore a number: for good. */
  readonly numbers = new Map<number, string>();
  damages = 0;
  /** Of each device the trust groups that it may be in: more than one while a change is under way, or was lost. */
  readonly groups: Set<TrustGroup>[];
  /** How often a change of them was begun or ended. */
  trustTouches = 0;

  readonly #devices: readonly DeviceId[];

  constructor(chunkIds: readonly ChunkId[], devices: readonly DeviceId[]) {
    this.chunkIds = chunkIds;
    this.#devices = devices;
    this.groups = devices.map(() => new Set([""]));
  }

  /** Whether a device relies on the block for certain, or may do so. */
  trusts(how: "surely" | "maybe", device: number, blockNo: number): boolean {
    const author = this.block(blockNo)?.device;
    if (author === undefined || author === device) return author === device;
    const [own, others] = [this.groups[device]!, this.groups[author]!];
    const hasCommon = [...own].some((group) => group !== null && others.has(group));
    return hasCommon && (how === "maybe" || (own.size === 1 && others.size === 1));
  }

  block(blockNo: number): ModelBlock | undefined {
    return this.blocks.get(this.numbers.get(blockNo) ?? "");
  }

  visible(): ModelSnapshot[] {
    return [...this.snapshots.values()].filter(({ state }) => state === "live" || state === "trash");
  }

  /** True when nobody else may just be changing this snapshot, so that how a change of it ends can be foretold. */
  isSettled(id: SnapshotId): boolean {
    return [...this.changes].every(({ snapshot }) => snapshot !== id);
  }

  /** The log is known to the index up to its end: changes of dead processes have happened or never will. */
  resolve(context: VaultContext, disk: MemoryDisk, now: number): void {
    this.observe(context, disk, now);
    for (const change of this.changes) if (change.isLost) this.changes.delete(change);
    this.#devices.forEach((id, device) => {
      const { group } = currentState(context).devices.get(id)!;
      assert.ok(this.groups[device]!.has(group), `device ${device} is in the group ${group}`);
      this.groups[device] = new Set([group]);
    });
  }

  /** Compares everything that was promised with what is there. */
  observe(context: VaultContext, disk: MemoryDisk, now: number): void {
    const rows = this.#blockRows(context);
    const isIntact = intactness(rows, disk);
    this.#checkSnapshotRows(context, now);
    for (const snapshot of this.visible()) {
      this.#checkBlocks(`snapshot ${snapshot.id.slice(0, 8)}`, snapshot.content.values(), rows, isIntact);
      this.#checkReadable(context, snapshot, rows, isIntact);
    }
    for (const session of this.sessions) {
      if (session.state === "open")
        this.#checkBlocks(`session ${session.id.slice(0, 8)}`, session.keeps, rows, isIntact);
    }
    const keyless = context.database.tuples(
      "SELECT b.blockNo FROM blocks b JOIN sessions s ON s.session = b.session WHERE s.sealedKey IS NULL AND b.state <> ?",
      BLOCK_DROPPED,
    );
    assert.deepEqual(keyless, [], "blocks whose session key is gone");
  }

  #blockRows(context: VaultContext): Map<number, BlockRow> {
    const rows = new Map<number, BlockRow>();
    for (const [blockNo, blockId, state, packId, offset, length] of context.database.tuples<
      [number, Uint8Array, number, Uint8Array, number, number]
    >("SELECT blockNo, blockId, state, packId, offset, length FROM blocks b JOIN packs p ON p.pack = b.pack")) {
      const hash = toHex(blockId);
      const before = this.numbers.get(blockNo);
      assert.ok(before === undefined || before === hash, `number ${blockNo} was given to a second block`);
      this.numbers.set(blockNo, hash);
      rows.set(blockNo, { hash, state, packId: toHex(packId), offset, length });
    }
    return rows;
  }

  #checkSnapshotRows(context: VaultContext, now: number): void {
    const rows = context.database.all<{
      snapshotId: Uint8Array;
      state: number;
      trashedAt: number;
      pinnedUntil: number;
    }>("SELECT snapshotId, state, trashedAt, pinnedUntil FROM snapshots");
    const seen = new Map(rows.map((row) => [toHex(row.snapshotId) as SnapshotId, row]));
    for (const id of seen.keys()) assert.ok(this.snapshots.has(id), `snapshot ${id} comes from nowhere`);
    for (const snapshot of this.snapshots.values()) {
      const row = seen.get(snapshot.id);
      const state = row === undefined ? "none" : NEXT_STATES[row.state]!;
      const words = `snapshot ${snapshot.id.slice(0, 8)} is ${state} where it was ${snapshot.state}`;
      assert.ok(this.#reachable(snapshot).has(state), words);
      const pin = row?.pinnedUntil ?? undefined;
      if (state === "live") {
        const pins = [snapshot.pin, ...this.#changesOf(snapshot).map((change) => change.pin)];
        const mayBeNew = this.#changesOf(snapshot).some(({ to }) => to !== "live");
        assert.ok(pins.includes(pin) || (mayBeNew && pin === undefined), `${words}; its pin is ${pin}, not ${pins}`);
      }
      if (state === "trash") assert.ok(row!.trashedAt <= now, `${words}; it was removed in the future`);
      snapshot.state = state;
      snapshot.pin = state === "live" ? pin : undefined;
      snapshot.trashedAt = row?.trashedAt ?? 0;
    }
  }

  #changesOf({ id }: ModelSnapshot): Change[] {
    return [...this.changes].filter(({ snapshot }) => snapshot === id);
  }

  /** States that changes which may have happened lead to. */
  #reachable(snapshot: ModelSnapshot): Set<SnapshotState> {
    const states = new Set([snapshot.state]);
    for (let before = 0; before !== states.size; ) {
      before = states.size;
      for (const { from, to } of this.#changesOf(snapshot)) if (states.has(from)) states.add(to);
    }
    return states;
  }

  /** What was not damaged is there, counts as sound, and has its bytes. */
  #checkBlocks(
    whose: string,
    blockNos: Iterable<number>,
    rows: ReadonlyMap<number, BlockRow>,
    isIntact: (blockNo: number) => boolean,
  ): void {
    for (const blockNo of blockNos) {
      if (this.block(blockNo)?.damaged !== false) continue;
      const row = rows.get(blockNo);
      assert.ok(row !== undefined, `block ${blockNo} of ${whose} is gone`);
      assert.equal(row.state, BLOCK_OK, `block ${blockNo} of ${whose} is not sound`);
      assert.ok(isIntact(blockNo), `block ${blockNo} of ${whose} has other bytes`);
    }
  }

  /** What can be read stays so until it is damaged: in its own block, or in one that healed it. */
  #checkReadable(
    context: VaultContext,
    snapshot: ModelSnapshot,
    rows: ReadonlyMap<number, BlockRow>,
    isIntact: (blockNo: number) => boolean,
  ): void {
    const chunks = [...snapshot.content.keys()];
    const ids = chunks.map((chunk) => this.chunkIds[chunk]!);
    const located = locateChunks(context, ids, snapshot.id);
    chunks.forEach((chunk, i) => {
      const own = snapshot.content.get(chunk)!;
      const at = located[i];
      const words = `chunk ${chunk} (block ${own}) of snapshot ${snapshot.id.slice(0, 8)}`;
      const found = at && this.block(at.blockNo);
      if (at !== undefined) assert.ok(found?.chunks.includes(chunk), `${words} is said to lie in block ${at.blockNo}`);
      if (at !== undefined && isIntact(at.blockNo)) {
        snapshot.readable.add(chunk);
        return;
      }
      // A block that was lost with its pack, and then with the index, is known to nobody any more.
      const isForgotten = !rows.has(own);
      const isOwnGood = this.block(own)?.damaged === false && found?.damaged !== true;
      assert.ok(!isOwnGood, `${words} cannot be read`);
      assert.ok(isForgotten || !snapshot.readable.has(chunk), `${words} cannot be read any more`);
      snapshot.readable.delete(chunk);
    });
  }

  /** After this nothing is promised of the chunks in these blocks, until they can be read again. */
  spoil(hashes: Iterable<string>): void {
    for (const hash of hashes) {
      const block = this.blocks.get(hash);
      if (block === undefined) continue;
      block.damaged = true;
      for (const { readable } of this.snapshots.values()) for (const chunk of block.chunks) readable.delete(chunk);
    }
    this.damages++;
  }

  flat(chunks: readonly number[]): Uint8Array {
    return concatBytes(chunks.map((chunk) => this.chunkIds[chunk]!));
  }
}

/** Whether the bytes on the disk are those of the block, each looked at once. */
export function intactness(rows: ReadonlyMap<number, BlockRow>, disk: MemoryDisk): (blockNo: number) => boolean {
  const known = new Map<number, boolean>();
  return (blockNo) => {
    const before = known.get(blockNo);
    if (before !== undefined) return before;
    const row = rows.get(blockNo);
    const pack = row && disk.objects.get(`packs/${row.packId.slice(0, 2)}/${row.packId}`);
    const isGood = pack !== undefined && hashOf(pack.subarray(row!.offset, row!.offset + row!.length)) === row!.hash;
    known.set(blockNo, isGood);
    return isGood;
  };
}
