// Checks a vault with the reader's keys: every snapshot record, every folder of every snapshot, every chunk that they name, and,
// with `readData`, every byte behind them. It lists what is wrong and goes on; only a lost vault or an interrupt ends it early.
// What can be checked without keys (packs, footers, log, index) is the vault's own check; the command line calls both.

import { type ErrorCode, isAppError, throwIfAborted } from "../../core/errors.ts";
import type { SnapshotId } from "../../core/ids.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";
import type { ChunkList } from "../../wire/v4/chunk-list.ts";
import { decodeRefs } from "../../wire/v4/refs.ts";
import { chunkIdAt, ENTRY, type TreeEntry } from "../../wire/v4/tree-types.ts";
import type { BlockLocation } from "../../wire/v4/vault-port.ts";
import { BlockVerifier, type WantedChunk } from "./block-verifier.ts";
import { listCount, readList } from "./content-runs.ts";
import type { VaultReader } from "./reader.ts";
import { rootOf } from "./search.ts";
import { type DeviceKeys, deviceKeys, type OpenedSnapshot, snapshotRows, tryOpenSnapshot } from "./snapshots.ts";
import { segmentCount, segmentId } from "./tree-reader.ts";
import { walkTree } from "./walk.ts";

export type VerifyProblem = {
  /** What is wrong: `snapshot 12ab34cd`, `folder`, `file`, `block 17, stored by ann (77ab34cd)`. */
  readonly object: string;
  readonly code: ErrorCode;
  readonly detail: string;
  /**
   * A warning: everything can be restored now, but would not be once other snapshots were removed (the snapshot does not
   * protect a block that it needs).
   */
  readonly warning?: boolean;
  readonly snapshot?: SnapshotId | undefined;
  readonly path?: RawPath | undefined;
};

/** Live figures. */
export type VerifyProgress = {
  snapshots: number;
  snapshotsTotal: number;
  folders: number;
  files: number;
  chunks: number;
  /** Blocks opened, and their sealed bytes. */
  blocks: number;
  blockBytes: number;
  problems: number;
  currentPath: string;
};

export type VerifyOptions = {
  readonly reader: VaultReader;
  /** Opens every block (or the sample) and re-hashes every chunk in it. */
  readonly readData?: boolean | undefined;
  /** Part of the blocks to open, 0 to 1, chosen anew in each run. */
  readonly sample?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Readonly<VerifyProgress>) => void) | undefined;
  readonly onProblem?: ((problem: VerifyProblem) => void) | undefined;
};

export type VerifyResult = { readonly problems: readonly VerifyProblem[]; readonly progress: Readonly<VerifyProgress> };

/** Chunks that are located, and blocks that are opened, in one go. */
const BATCH_CHUNKS = 8192;

export async function verifyContents(options: VerifyOptions): Promise<VerifyResult> {
  const { reader, signal } = options;
  const rows = await snapshotRows(reader);
  const devices = await deviceKeys(reader);
  const run = new VerifyRun(options, devices, rows.length);
  for (const row of rows) {
    throwIfAborted(signal);
    const opened = await tryOpenSnapshot(reader, row, devices);
    if (opened.error) {
      const { code, message } = opened.error;
      run.report({ object: `snapshot ${row.id.slice(0, 8)}`, code, detail: message, snapshot: row.id });
    } else {
      await run.snapshot(opened);
    }
    run.progress.snapshots++;
    run.tick();
  }
  return { problems: run.problems, progress: run.progress };
}

class VerifyRun {
  readonly progress: VerifyProgress;
  readonly problems: VerifyProblem[] = [];
  readonly #options: VerifyOptions;
  readonly #devices: DeviceKeys;
  readonly #blocks: BlockVerifier;
  #batch: WantedChunk[] = [];

  constructor(options: VerifyOptions, devices: DeviceKeys, snapshotsTotal: number) {
    this.#options = options;
    this.#devices = devices;
    this.progress = {
      snapshots: 0,
      snapshotsTotal,
      folders: 0,
      files: 0,
      chunks: 0,
      blocks: 0,
      blockBytes: 0,
      problems: 0,
      currentPath: "",
    };
    this.#blocks = new BlockVerifier(options.reader, options.sample ?? 1, this.progress);
  }

  report(problem: VerifyProblem): void {
    this.problems.push(problem);
    this.progress.problems++;
    this.#options.onProblem?.(problem);
  }

  tick(): void {
    this.#options.onProgress?.(this.progress);
  }

  async snapshot(snapshot: OpenedSnapshot): Promise<void> {
    const refs = this.#refs(snapshot);
    if (!refs) return;
    const { reader, signal } = this.#options;
    for await (const { kind, path, entry, error } of walkTree(reader.of(snapshot), rootOf(snapshot), { signal })) {
      if (kind === "problem" && error) {
        const { code, message } = error;
        this.report({ object: "folder", code, detail: message, snapshot: snapshot.row.id, path });
      }
      if (kind === "leave") continue;
      if (kind === "enter") this.progress.folders++;
      else if (entry.type === ENTRY.file) this.progress.files++;
      this.progress.currentPath = path;
      this.#want(path, entry);
      if (this.#batch.length >= BATCH_CHUNKS) await this.#flush(snapshot, refs);
      for (let list = 0; list < listCount(entry); list++) {
        await this.#wantList(path, entry, list, snapshot);
        if (this.#batch.length >= BATCH_CHUNKS) await this.#flush(snapshot, refs);
      }
    }
    await this.#flush(snapshot, refs);
  }

  #refs({ record, row }: OpenedSnapshot): ReadonlySet<number> | undefined {
    try {
      return new Set(decodeRefs(record.refs));
    } catch (error) {
      if (!isAppError(error)) throw error;
      const object = `snapshot ${row.id.slice(0, 8)}`;
      this.report({ object, code: error.code, detail: error.message, snapshot: row.id });
      return undefined;
    }
  }

  #want(path: RawPath, entry: TreeEntry): void {
    if (entry.type === ENTRY.directory) {
      for (let i = 0; i < segmentCount(entry); i++)
        this.#batch.push({ path, entry, id: segmentId(entry, i), length: -1 });
    } else if (entry.type === ENTRY.file && !entry.indirect) {
      this.#wantChunks(path, entry, { chunkIds: entry.chunkIds!, lengths: entry.chunkLengths! });
    }
  }

  #wantChunks(path: RawPath, entry: TreeEntry, { chunkIds, lengths }: ChunkList): void {
    for (const [i, length] of lengths.entries()) {
      this.#batch.push({ path, entry, id: chunkIdAt(chunkIds, i), length });
    }
  }

  /** A chunk list of a large file, and what it names. One that cannot be read does not end the file: the others may be damaged too. */
  async #wantList(path: RawPath, entry: TreeEntry, index: number, snapshot: OpenedSnapshot): Promise<void> {
    this.#batch.push({ path, entry, id: chunkIdAt(entry.chunkIds!, index), length: -1 });
    const { reader, signal } = this.#options;
    try {
      const list = await readList(reader.of(snapshot), entry, index, { path: rawToText(path), signal });
      this.#wantChunks(path, entry, list);
    } catch (error) {
      if (!isAppError(error) || error.retry) throw error;
      // A list that is missing is listed with the other pieces.
      if (error.code === "chunk_missing") return;
      this.report({ object: "file", code: error.code, detail: error.message, snapshot: snapshot.row.id, path });
    }
  }

  async #flush(snapshot: OpenedSnapshot, refs: ReadonlySet<number>): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.progress.chunks += batch.length;
    if (batch.length === 0) return;
    const locations = await this.#options.reader.vault.locateChunks(
      batch.map(({ id }) => id),
      snapshot.row.id,
    );
    const unprotected = new Set<number>();
    const found: { readonly chunk: WantedChunk; readonly location: BlockLocation }[] = [];
    for (const [i, chunk] of batch.entries()) {
      const location = locations[i];
      if (!location) {
        this.#reportMissing(snapshot, chunk);
        continue;
      }
      if (!refs.has(location.blockNo)) unprotected.add(location.blockNo);
      found.push({ chunk, location });
    }
    for (const blockNo of unprotected) this.#reportUnprotected(snapshot, blockNo);
    if (this.#options.readData) await this.#readBlocks(snapshot, found);
    this.tick();
  }

  #reportMissing(snapshot: OpenedSnapshot, { path, entry }: WantedChunk): void {
    const isFolder = entry.type === ENTRY.directory;
    this.report({
      object: isFolder ? "folder" : "file",
      code: "chunk_missing",
      detail: `a piece of ${rawToText(path)} is not in the vault`,
      snapshot: snapshot.row.id,
      path,
    });
  }

  #reportUnprotected({ row }: OpenedSnapshot, blockNo: number): void {
    const detail = `it needs block ${blockNo} but does not name it: the block could be removed with another snapshot`;
    const object = `snapshot ${row.id.slice(0, 8)}`;
    this.report({ object, code: "record_corrupt", detail, snapshot: row.id, warning: true });
  }

  async #readBlocks(
    snapshot: OpenedSnapshot,
    found: readonly { readonly chunk: WantedChunk; readonly location: BlockLocation }[],
  ): Promise<void> {
    for await (const { code, detail, blockNo, device, path } of this.#blocks.check(found, this.#options.signal)) {
      const name = this.#devices.get(device)?.name ?? "a device that the vault does not know";
      const object = `block ${blockNo}, stored by ${name} (${device.slice(0, 8)})`;
      this.report({ object, code, detail, snapshot: snapshot.row.id, path });
      this.tick();
    }
  }
}
