// The heart of a run: takes the scan, skips what did not change, has the rest read, and writes trees and state in scan order.
// Everything that the scan gives becomes a slot in one queue; slots are taken off its head as they become ready. So directories are
// written after their contents, in bounded memory, while many files are in flight.

import { ByteReader, type Bytes, ByteWriter } from "../../core/bytes.ts";
import { AppError, throwIfAborted } from "../../core/errors.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { Awaitable } from "../../crypto/primitives.ts";
import type { BlockRef, StateEncoder } from "../../wire/v4/state-file.ts";
import { decodeEntry, encodeEntry } from "../../wire/v4/tree.ts";
import { ENTRY, type TreeEntry } from "../../wire/v4/tree-types.ts";
import type { Chunker } from "../chunker.ts";
import { type Content, type ContentReader, LARGE_FILE_BYTES, type Outcome } from "./content.ts";
import { Signal } from "./signal.ts";
import type { Previous, StateMerge } from "./state-merge.ts";
import type { TreeBlocks } from "./tree-blocks.ts";
import { DirectoryWriter } from "./tree-writer.ts";
import type { BackupProblem, BackupProgress, BackupSource, ScanItem, ScannedEntry } from "./types.ts";

/** Slots in flight: unchanged files behind a large one that is still being read. */
const SLOTS_AT_MOST = 32_768;
/**
 * Bytes of one entry: with the rest of its segment and of its block it must stay below what readers take (BLOCK_LIMITS.payload).
 * A file of hundreds of TiB reaches it, or one with millions of holes. To say so now is better than a snapshot that cannot be read.
 */
const ENTRY_AT_MOST = 14 * 2 ** 20;
/** How long the scan may go on without letting anything else run. */
const SLICE_MS = 30;

type EntrySlot = {
  kind: "entry";
  ready: boolean;
  readonly entry: ScannedEntry;
  previous?: Previous | undefined;
  content?: Content | undefined;
  /** Another name of the same file, which comes earlier in the queue. */
  twin?: EntrySlot | undefined;
  dropped?: boolean;
};
type LeaveSlot = {
  readonly kind: "leave";
  readonly ready: true;
  readonly entry: ScannedEntry;
  readonly previous: Previous | undefined;
  readonly complete: boolean;
  readonly same: boolean;
};
type Slot = EntrySlot | LeaveSlot | { readonly kind: "enter"; readonly ready: true; readonly name: RawPath };

type OpenDirectory = { writer: DirectoryWriter; ids: Awaitable<Bytes>[]; rows: number[] };

export type PipelineOptions = {
  readonly source: BackupSource;
  readonly content: ContentReader;
  readonly trees: TreeBlocks;
  readonly chunker: Chunker;
  readonly merge: StateMerge | undefined;
  /** Turns a reference of the last run into one of this run; undefined when it may not be used. */
  readonly reuse: (refs: readonly BlockRef[]) => BlockRef[] | undefined;
  readonly state: StateEncoder | undefined;
  readonly progress: BackupProgress;
  readonly onProblem: (problem: BackupProblem) => void;
  readonly onUsed: (refs: readonly BlockRef[]) => void;
  readonly now: () => number;
};

export class Pipeline {
  readonly #options: PipelineOptions;
  /** Slots before the head are gone, so that the collector meets none of them twice. */
  #slots: (Slot | undefined)[] = [];
  #head = 0;
  #draining = false;
  #failure: unknown;
  readonly #moved = new Signal();
  readonly #stack: OpenDirectory[] = [];
  readonly #linked = new Map<string, EntrySlot>();
  readonly #scratch = new ByteWriter(4096);
  #root: Bytes[] | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** Runs the whole scan; gives the chunkIds of the root's segments. */
  async run(signal: AbortSignal | undefined): Promise<Bytes[]> {
    let sliceStart = this.#options.now();
    for await (const items of this.#options.source.scan()) {
      for (const item of items) {
        this.throwIfFailed();
        if (signal?.aborted) throw new AppError("interrupted");
        const waited = this.#take(item);
        if (waited) await waited;
      }
      void this.#drain();
      if (this.#options.now() - sliceStart > SLICE_MS) {
        await new Promise((resolve) => setTimeout(resolve));
        sliceStart = this.#options.now();
      }
      while (this.#slots.length - this.#head > SLOTS_AT_MOST) {
        await this.#options.content.sendBatch();
        if (this.#slots.length - this.#head > SLOTS_AT_MOST) await this.#moved.wait(signal);
        this.throwIfFailed();
        if (signal?.aborted) throw new AppError("interrupted");
      }
    }
    await this.#options.content.settle();
    this.throwIfFailed();
    await this.#drain();
    while (this.#draining) await this.#moved.wait(undefined);
    this.throwIfFailed();
    throwIfAborted(signal);
    if (!this.#root) throw new AppError("internal", { context: { detail: "the scan ended inside a directory" } });
    return this.#root;
  }

  fail(error: unknown): void {
    this.#failure ??= error;
    this.#options.content.notify();
    this.#moved.notify();
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #take(item: ScanItem): Promise<void> | undefined {
    const { merge, progress, content } = this.#options;
    switch (item.kind) {
      case "enter":
        merge?.enter(item.name);
        progress.currentPath = item.path;
        this.#slots.push({ kind: "enter", ready: true, name: item.name });
        return;
      case "leave": {
        const left = merge?.leave(item.entry) ?? { previous: undefined, complete: false, same: false };
        progress.directories++;
        this.#slots.push({ kind: "leave", ready: true, entry: item.entry, ...left });
        return;
      }
      case "problem":
        this.#options.onProblem(item);
        return;
      case "stream": {
        const slot: EntrySlot = { kind: "entry", ready: false, entry: item.entry };
        this.#slots.push(slot);
        progress.files++;
        progress.newFiles++;
        return content.stream(item.stream, (outcome) => this.#filled(slot, outcome));
      }
      case "entry":
        return this.#takeEntry(item.entry);
    }
  }

  #takeEntry(entry: ScannedEntry): Promise<void> | undefined {
    const { merge, progress } = this.#options;
    const { known, same } = merge?.file(entry) ?? { known: false, same: undefined };
    const isFile = entry.type === ENTRY.file;
    const refs = same && this.#options.reuse(same.refs);
    if (same && refs) {
      this.#slots.push({ kind: "entry", ready: true, entry, previous: { entry: same.entry, refs } });
      if (isFile) {
        progress.files++;
        progress.unchangedFiles++;
        progress.bytes += entry.size;
      } else {
        progress.others++;
      }
      return;
    }
    const slot: EntrySlot = { kind: "entry", ready: true, entry };
    this.#slots.push(slot);
    if (!isFile) {
      progress.others++;
      return;
    }
    progress.files++;
    if (known) progress.changedFiles++;
    else progress.newFiles++;
    return this.#read(slot);
  }

  #read(slot: EntrySlot): Promise<void> | undefined {
    const { entry } = slot;
    if (entry.links > 1) {
      const key = `${entry.device}:${entry.inode}`;
      const twin = this.#linked.get(key);
      if (twin) {
        slot.twin = twin;
        return;
      }
      this.#linked.set(key, slot);
    }
    if (entry.size === 0) return;
    slot.ready = false;
    if (entry.size > LARGE_FILE_BYTES) this.#options.progress.currentPath = entry.path;
    return this.#options.content.file(entry, (outcome) => this.#filled(slot, outcome));
  }

  #filled(slot: EntrySlot, outcome: Outcome): void {
    if ("problem" in outcome) {
      slot.dropped = true;
      this.#options.onProblem({ path: slot.entry.path, code: outcome.problem });
    } else {
      slot.content = outcome;
      if (outcome.changed) this.#options.progress.changedWhileRead++;
    }
    slot.ready = true;
    if (this.#slots[this.#head] === slot) void this.#drain();
  }

  /** Takes ready slots off the head of the queue. Only one drain runs at a time. */
  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let slot = this.#slots[this.#head]; slot?.ready; slot = this.#slots[this.#head]) {
        this.#slots[this.#head++] = undefined;
        if (slot.kind === "entry") this.#writeEntry(slot);
        else if (slot.kind === "enter") this.#open(slot.name);
        else {
          const waited = this.#leave(slot);
          if (waited) await waited;
        }
        if (this.#head > 4096) {
          this.#slots = this.#slots.slice(this.#head);
          this.#head = 0;
        }
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#draining = false;
      this.#moved.notify();
    }
  }

  #open(name: RawPath): void {
    const { source, trees, state, chunker } = this.#options;
    state?.enter(name);
    const directory: OpenDirectory = {
      ids: [],
      rows: [],
      writer: new DirectoryWriter(chunker.prf, source, (segment) => {
        const { id, row, asked } = trees.add(segment);
        directory.ids.push(id);
        directory.rows.push(row);
        asked?.catch((error: unknown) => this.fail(error));
      }),
    };
    this.#stack.push(directory);
  }

  #writeEntry(slot: EntrySlot): void {
    const directory = this.#stack.at(-1)!;
    if (slot.dropped || slot.twin?.dropped) {
      directory.writer.changed = true;
      return;
    }
    const { entry } = slot;
    if (slot.previous) {
      this.#put(directory, entry, slot.previous.entry, slot.previous.refs, true);
      return;
    }
    const content = slot.content ?? slot.twin?.content;
    encodeEntry(this.#scratch, treeEntryOf(entry, content, this.#options.source.details(entry)));
    if (this.#scratch.length > ENTRY_AT_MOST) {
      this.#scratch.clear();
      directory.writer.changed = true;
      this.#options.onProblem({ path: entry.path, code: "EFBIG" });
      return;
    }
    this.#put(directory, entry, this.#scratch.view(), content?.refs ?? [], false);
    this.#scratch.clear();
  }

  #put(
    directory: OpenDirectory,
    entry: ScannedEntry,
    bytes: Uint8Array,
    refs: readonly BlockRef[],
    unchanged: boolean,
  ): void {
    directory.writer.add(entry.name, entry.uid, entry.gid, bytes, unchanged);
    this.#options.onUsed(refs);
    this.#options.state?.entry(entry.inode, bytes, refs);
  }

  #leave(slot: LeaveSlot): Promise<void> | undefined {
    const directory = this.#stack.pop()!;
    const { entry, previous } = slot;
    const refs =
      previous && slot.complete && directory.writer.canReuse ? this.#options.reuse(previous.refs) : undefined;
    if (previous && refs) {
      const old = decodeOne(previous.entry);
      const bytes = slot.same ? previous.entry : this.#encodeDirectory(entry, old.chunkIds!);
      this.#close(entry, bytes, refs, slot.same, old.chunkIds!);
      return;
    }
    directory.writer.finish();
    return this.#closeWritten(entry, directory);
  }

  async #closeWritten(entry: ScannedEntry, directory: OpenDirectory): Promise<void> {
    const ids = new Uint8Array(directory.ids.length * 32);
    for (const [i, id] of directory.ids.entries()) ids.set(await id, i * 32);
    const bytes = this.#encodeDirectory(entry, ids);
    this.#close(
      entry,
      bytes,
      directory.rows.map((row) => 2 * row + 1),
      false,
      ids,
    );
  }

  #close(entry: ScannedEntry, bytes: Uint8Array, refs: readonly BlockRef[], unchanged: boolean, ids: Uint8Array): void {
    this.#options.onUsed(refs);
    this.#options.state?.leave(entry.inode, bytes, refs);
    const parent = this.#stack.at(-1);
    if (parent) parent.writer.add(entry.name, entry.uid, entry.gid, bytes, unchanged);
    else this.#root = Array.from({ length: ids.length / 32 }, (_, i) => ids.slice(i * 32, i * 32 + 32));
  }

  #encodeDirectory(entry: ScannedEntry, chunkIds: Uint8Array): Bytes {
    encodeEntry(this.#scratch, { ...treeEntryOf(entry, undefined, this.#options.source.details(entry)), chunkIds });
    return this.#scratch.take();
  }
}

function decodeOne(bytes: Uint8Array): TreeEntry {
  const reader = new ByteReader(bytes, (detail) => {
    throw new AppError("record_corrupt", { context: { what: "The state file", detail } });
  });
  return decodeEntry(reader, bytes);
}

function treeEntryOf(
  entry: ScannedEntry,
  content: Content | undefined,
  details: Pick<TreeEntry, "xattrs" | "linkTarget">,
): TreeEntry {
  const at = content?.mark ?? entry;
  const isFile = entry.type === ENTRY.file;
  const isDevice = entry.type === ENTRY.charDevice || entry.type === ENTRY.blockDevice;
  return {
    type: entry.type,
    name: entry.name,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtimeSeconds: at.mtimeSeconds,
    mtimeNanos: at.mtimeNanos,
    ctimeSeconds: at.ctimeSeconds,
    ctimeNanos: at.ctimeNanos,
    birthSeconds: entry.birthSeconds,
    birthNanos: entry.birthNanos,
    hardLink:
      entry.links > 1 && entry.type !== ENTRY.directory ? { device: entry.device, inode: entry.inode } : undefined,
    changed: content?.changed,
    size: isFile ? (content ? content.lengths.reduce((sum, length) => sum + length, 0) : 0) : undefined,
    indirect: content?.indirect,
    chunkIds: content?.chunkIds,
    chunkLengths: content?.lengths,
    rdevMajor: isDevice ? entry.rdevMajor : undefined,
    rdevMinor: isDevice ? entry.rdevMinor : undefined,
    holes: content?.holes,
    ...details,
  };
}
