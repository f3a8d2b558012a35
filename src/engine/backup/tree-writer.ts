// One directory on its way to tree segments (docs/format.md, Tree chunks). While nothing differs from the last run it only keeps
// views; at the first difference, or when it grows large, it encodes. Memory stays bounded for directories of any size.

import { type Bytes, ByteWriter } from "../../core/bytes.ts";
import { type RawPath, rawToBytes } from "../../core/raw-path.ts";
import type { SipHash } from "../../crypto/prf.ts";
import { encodeSegment, TREE_LIMITS } from "../../wire/v4/tree.ts";

const KEEP_AT_MOST = 4096;
/** A segment of at least the soft size ends after a name whose keyed hash is below this: one in 512. */
const SEGMENT_THRESHOLD = 2 ** 32 / 512;

type Kept = { readonly name: RawPath; readonly uid: number; readonly gid: number; readonly entry: Uint8Array };

export type OwnerLookup = {
  userName(uid: number): string | undefined;
  groupName(gid: number): string | undefined;
};

export class DirectoryWriter {
  readonly #prf: SipHash;
  readonly #owners: OwnerLookup;
  readonly #onSegment: (segment: Bytes) => void;
  #kept: Kept[] | undefined = [];
  #segment: ByteWriter | undefined;
  #count = 0;
  #users = new Set<number>();
  #groups = new Set<number>();
  #segments = 0;
  /** True once anything differs from the last run. */
  changed = false;

  constructor(prf: SipHash, owners: OwnerLookup, onSegment: (segment: Bytes) => void) {
    this.#prf = prf;
    this.#owners = owners;
    this.#onSegment = onSegment;
  }

  /**
   * Adds the next entry, in name order; `entry` is coded, its length first. The bytes of an unchanged entry must stay as they are until
   * `finish`; those of a changed one are copied at once.
   */
  add(name: RawPath, uid: number, gid: number, entry: Uint8Array, unchanged: boolean): void {
    if (!unchanged) this.changed = true;
    if (this.#kept && unchanged && this.#kept.length < KEEP_AT_MOST) {
      this.#kept.push({ name, uid, gid, entry });
      return;
    }
    this.#encodeKept();
    this.#encode(name, uid, gid, entry);
  }

  /** True when the segments of the last run can stand as they are. */
  get canReuse(): boolean {
    return !this.changed && this.#kept !== undefined;
  }

  /** Gives out what is left; there is always at least one segment. */
  finish(): void {
    this.#encodeKept();
    if (this.#count > 0 || this.#segments === 0) this.#endSegment();
  }

  #encodeKept(): void {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept) for (const { name, uid, gid, entry } of kept) this.#encode(name, uid, gid, entry);
  }

  #encode(name: RawPath, uid: number, gid: number, entry: Uint8Array): void {
    this.#segment ??= new ByteWriter(4096);
    this.#segment.bytes(entry);
    this.#users.add(uid);
    this.#groups.add(gid);
    this.#count++;
    const { length } = this.#segment;
    if (length >= TREE_LIMITS.segmentHard || (length >= TREE_LIMITS.segmentSoft && this.#endsSegment(name)))
      this.#endSegment();
  }

  #endsSegment(name: RawPath): boolean {
    const bytes = rawToBytes(name.slice(0, 64) as RawPath);
    return this.#prf.hash(bytes, 0, bytes.length) < SEGMENT_THRESHOLD;
  }

  #endSegment(): void {
    const users = names(this.#users, (id) => this.#owners.userName(id));
    const groups = names(this.#groups, (id) => this.#owners.groupName(id));
    this.#onSegment(encodeSegment({ users, groups }, this.#count, this.#segment?.view() ?? new Uint8Array(0)));
    this.#segments++;
    this.#segment = undefined;
    this.#count = 0;
    this.#users = new Set();
    this.#groups = new Set();
  }
}

function names(ids: ReadonlySet<number>, nameOf: (id: number) => string | undefined): Map<number, string> {
  const out = new Map<number, string>();
  for (const id of ids) {
    const name = nameOf(id);
    if (name !== undefined) out.set(id, name);
  }
  return out;
}
