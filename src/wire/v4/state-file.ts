// Coding of the state file (docs/format.md, State file): the last tree as one stream in scan order. Pure: bytes in, bytes out.
// A state file is only ever a shortcut. A decoder that meets anything odd throws, and the run goes on without it.

import { ByteReader, type Bytes, ByteWriter, equalBytes, fromHex, toHex, utf8 } from "../../core/bytes.ts";
import { crc32c } from "../../core/checksum.ts";
import { AppError } from "../../core/errors.ts";
import type { NameToken, SnapshotId, VaultId } from "../../core/ids.ts";
import { type RawPath, rawSlice } from "../../core/raw-path.ts";

/** `more` holds references of the item that follows, of which a large file can have very many. */
export const STATE_ITEM = { enter: 1, entry: 2, leave: 3, more: 4 } as const;
export const STATE_HEADER_BYTES = 44;
/** Name that the entry of the scan's root carries. */
export const ROOT_NAME = ".root" as RawPath;

const MAGIC = utf8("CB4STAT\n");
const VERSION = 1;
const FRAME_TARGET = 256 * 1024;
export const STATE_LIMITS = { frame: 64 * 2 ** 20, tail: 256 * 2 ** 20, refs: 256 } as const;

/** A block reference: even = 2·blockNo, odd = 2·row + 1 of the tail's table. */
export type BlockRef = number;

export type StateTail = { readonly snapshot: SnapshotId; readonly table: readonly number[] };

const fail = (detail: string): never => {
  throw new AppError("record_corrupt", { context: { what: "The state file", detail } });
};

export function encodeStateHeader(vault: VaultId, plan: NameToken): Bytes {
  const out = new ByteWriter(STATE_HEADER_BYTES);
  out.bytes(MAGIC);
  out.u16(VERSION);
  out.u16(0);
  out.bytes(fromHex(vault));
  out.bytes(fromHex(plan));
  return out.take();
}

/** True when the header is that of this vault and plan. */
export function stateHeaderFits(header: Uint8Array, vault: VaultId, plan: NameToken): boolean {
  return equalBytes(header, encodeStateHeader(vault, plan));
}

/** Collects items and gives a frame to `emit` whenever one is full. */
export class StateEncoder {
  readonly #emit: (frame: Bytes) => void;
  readonly #out = new ByteWriter(FRAME_TARGET + 4096);

  constructor(emit: (frame: Bytes) => void) {
    this.#emit = emit;
  }

  enter(name: RawPath): void {
    this.#out.u8(STATE_ITEM.enter);
    this.#out.varint(name.length);
    this.#out.rawString(name);
  }

  /** `entry` is the tree entry's bytes, its length first. */
  entry(inode: number, entry: Uint8Array, refs: readonly BlockRef[]): void {
    this.#item(STATE_ITEM.entry, inode, entry, refs);
  }

  leave(inode: number, entry: Uint8Array, refs: readonly BlockRef[]): void {
    this.#item(STATE_ITEM.leave, inode, entry, refs);
  }

  /** The last frame, the end mark and the tail. */
  finish(tail: StateTail): void {
    this.#flush();
    const payload = new ByteWriter(64 + tail.table.length * 4);
    payload.bytes(fromHex(tail.snapshot));
    payload.varint(tail.table.length);
    for (const blockNo of tail.table) payload.varint(blockNo);
    const out = new ByteWriter(payload.length + 12);
    out.u32(0);
    out.bytes(payload.view());
    out.u32(crc32c(payload.view()));
    out.u32(payload.length);
    this.#emit(out.take());
  }

  #item(kind: number, inode: number, entry: Uint8Array, refs: readonly BlockRef[]): void {
    let at = 0;
    for (; refs.length - at > STATE_LIMITS.refs; at += STATE_LIMITS.refs) {
      this.#out.u8(STATE_ITEM.more);
      this.#refs(refs, at, at + STATE_LIMITS.refs);
    }
    this.#out.u8(kind);
    this.#out.varint(inode);
    this.#out.bytes(entry);
    this.#out.varint(refs.length - at);
    this.#refs(refs, at, refs.length);
  }

  #refs(refs: readonly BlockRef[], from: number, to: number): void {
    for (let i = from; i < to; i++) this.#out.varint(refs[i]!);
    if (this.#out.length >= FRAME_TARGET) this.#flush();
  }

  #flush(): void {
    if (this.#out.length === 0) return;
    const frame = new ByteWriter(this.#out.length + 8);
    frame.u32(this.#out.length);
    frame.u32(crc32c(this.#out.view()));
    frame.bytes(this.#out.view());
    this.#out.clear();
    this.#emit(frame.take());
  }
}

/** Checks a frame's payload against the CRC that stands before it. */
export function checkFrame(payload: Uint8Array, crc: number): void {
  if (crc32c(payload) >>> 0 !== crc >>> 0) fail("a frame's checksum does not fit");
}

/** `payload` and the CRC that stands behind it. */
export function decodeStateTail(payload: Uint8Array, crc: number): StateTail {
  checkFrame(payload, crc);
  const reader = new ByteReader(payload, fail);
  const snapshot = toHex(reader.bytes(32)) as SnapshotId;
  const count = reader.varint();
  if (count > reader.remaining) fail("its table is cut short");
  const table = Array.from({ length: count }, () => reader.varint());
  reader.end();
  return { snapshot, table };
}

/**
 * Walks the items of a state file. After `next()` has given true, the fields tell of the current item; `entry` and `refs` are
 * read only when they are asked for. Frames come from `nextFrame`, checked; it gives undefined at the end.
 */
export class StateCursor {
  readonly #nextFrame: () => Uint8Array | undefined;
  #frame: Uint8Array = new Uint8Array(0);
  #reader = new ByteReader(this.#frame, fail);
  #entryStart = 0;
  #entryEnd = 0;
  #refs: BlockRef[] = [];

  kind: number = 0;
  name: RawPath = "" as RawPath;
  inode = 0;
  type = 0;
  size = 0;
  mtimeSeconds = 0;
  mtimeNanos = 0;
  ctimeSeconds = 0;
  ctimeNanos = 0;

  constructor(nextFrame: () => Uint8Array | undefined) {
    this.#nextFrame = nextFrame;
  }

  next(): boolean {
    if (!this.#nextKind()) return false;
    const refs: BlockRef[] = [];
    while (this.kind === STATE_ITEM.more) {
      this.#readRefs(refs, STATE_LIMITS.refs);
      if (!this.#nextKind()) fail("it ends too early");
    }
    const reader = this.#reader;
    if (this.kind === STATE_ITEM.enter) {
      if (refs.length > 0) fail("references belong to no entry");
      this.name = this.#raw();
      return true;
    }
    if (this.kind !== STATE_ITEM.entry && this.kind !== STATE_ITEM.leave) fail(`unknown item ${this.kind}`);
    this.inode = reader.varint();
    this.#entryStart = reader.offset;
    const length = reader.varint();
    if (length > reader.remaining) fail("it ends too early");
    this.#entryEnd = reader.offset + length;
    this.#readEntry();
    reader.offset = this.#entryEnd;
    const count = reader.varint();
    if (count > STATE_LIMITS.refs || (count === 0 && refs.length > 0)) fail("it has too many or too few references");
    this.#readRefs(refs, count);
    this.#refs = refs;
    return true;
  }

  /** The tree entry's bytes, its length first; a view that stays valid. */
  get entry(): Uint8Array {
    return this.#frame.subarray(this.#entryStart, this.#entryEnd);
  }

  get refs(): readonly BlockRef[] {
    return this.#refs;
  }

  /** Moves to the next item, in the next frame if need be, and reads its kind. */
  #nextKind(): boolean {
    while (this.#reader.remaining === 0) {
      const frame = this.#nextFrame();
      if (!frame) return false;
      this.#frame = frame;
      this.#reader = new ByteReader(frame, fail);
    }
    this.kind = this.#reader.u8();
    return true;
  }

  #readRefs(refs: BlockRef[], count: number): void {
    if (count > this.#reader.remaining) fail("it ends too early");
    for (let i = 0; i < count; i++) refs.push(this.#reader.varint());
  }

  /** Only what tells whether a file has changed (layout: docs/format.md, Tree chunks, Entry). */
  #readEntry(): void {
    const reader = this.#reader;
    this.type = reader.u8();
    const flags = reader.varint();
    this.name = this.#raw();
    reader.varint();
    reader.varint();
    reader.varint();
    this.mtimeSeconds = reader.zigzag();
    this.mtimeNanos = reader.varint();
    this.ctimeSeconds = reader.zigzag();
    this.ctimeNanos = reader.varint();
    if (this.type !== 1) return;
    if (flags & 1) {
      reader.zigzag();
      reader.varint();
    }
    if (flags & 8) {
      reader.varint();
      reader.varint();
    }
    this.size = reader.varint();
  }

  #raw(): RawPath {
    const length = this.#reader.varint();
    if (length > this.#reader.remaining) fail("it ends too early");
    const start = this.#reader.offset;
    this.#reader.offset = start + length;
    return rawSlice(this.#frame, start, start + length);
  }
}
