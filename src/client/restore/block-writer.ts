// What a restore worker does: opens a block, re-hashes its chunks, writes files, compares files. It writes a chunk only after its bytes
// gave the id that the tree names, so a file is never made from anything else.

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { fromHex, releaseBytes } from "../../core/bytes.ts";
import { isAppError } from "../../core/errors.ts";
import type { RawPath } from "../../core/raw-path.ts";
import { openBlock } from "../../engine/block.ts";
import type { EnginePlatform } from "../../engine/platform.ts";
import { nameChunks, type OpenedBlock } from "../../engine/reader/block-cache.ts";
import { type ChunkKey, ChunkTable, chunkKey } from "../../engine/reader/chunk-table.ts";
import { KIND_DATA } from "../../wire/v4/vault-port.ts";
import { nodePath } from "../posix.ts";
import { filesOf } from "./file-batch.ts";
import type {
  CompareJob,
  CompareReply,
  Failure,
  Failures,
  FilePiece,
  RareParts,
  SealedWork,
  WholeFile,
  WorkerSetup,
  WriteJob,
  WriteReply,
} from "./jobs.ts";
import { finishFile, openingMode } from "./metadata.ts";
import { dataRanges } from "./sparse.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_RDONLY, O_WRONLY } = constants;
const KIND_PREFIX = Uint8Array.of(KIND_DATA);
const NOTHING: Opened = { chunks: new ChunkTable(new Uint8Array(), 0) };
/** Blocks that are kept open for later jobs; a window often ends within one, and several runs side by side make them interlock. */
const KEEP = { blocks: 8, bytes: 7 * 2 ** 20 } as const;

type Opened = Pick<OpenedBlock, "chunks"> & { readonly failure?: Failure };

export class BlockWriter {
  readonly #platform: EnginePlatform;
  readonly #setup: WorkerSetup;
  readonly #vaultId: Uint8Array;
  #buffer = new Uint8Array(2 ** 21);
  /** By blockNo, the last used at the end. */
  readonly #opened = new Map<number, Opened>();

  constructor(platform: EnginePlatform, setup: WorkerSetup) {
    this.#platform = platform;
    this.#setup = setup;
    this.#vaultId = fromHex(setup.vaultId);
  }

  async write({ block, whole, pieces }: WriteJob): Promise<WriteReply> {
    const opened = block ? await this.#open(block) : NOTHING;
    const open = [...this.#opened.keys()];
    if (!opened) return { whole: new Map(), pieces: new Map(), open, isMissing: true };
    const { chunks, failure } = opened;
    return {
      whole: attempts(filesOf(whole), failure, (file) => this.#writeWhole(file, chunks)),
      pieces: attempts(pieces, failure, (piece) => writePiece(piece, chunks)),
      open,
    };
  }

  async compare({ files }: CompareJob): Promise<CompareReply> {
    const same: Uint8Array[] = [];
    for (const file of files) same.push(await this.#compareFile(file));
    return { same };
  }

  /** The block, opened before or now. A failure is an answer, and is remembered too. */
  async #open(block: SealedWork): Promise<Opened | undefined> {
    const { blockNo, sealed } = block;
    const known = this.#opened.get(blockNo);
    if (!known && !sealed) return undefined;
    const opened = known ?? (await this.#unseal(block, sealed!));
    this.#opened.delete(blockNo);
    this.#opened.set(blockNo, opened);
    this.#makeRoom();
    return opened;
  }

  async #unseal({ key, session, kind, counter, blockNo }: SealedWork, sealed: Uint8Array): Promise<Opened> {
    const context = { vaultId: this.#vaultId, sessionId: fromHex(session), kind, counter };
    try {
      const chunks = await openBlock(this.#platform, key, context, sealed, blockNo);
      releaseBytes(sealed);
      return await nameChunks(this.#platform, this.#setup.chunkIdKey, kind, blockNo, chunks);
    } catch (error) {
      return { ...NOTHING, failure: failureOf(error) };
    }
  }

  /** The last block stays whatever its size. */
  #makeRoom(): void {
    let bytes = 0;
    for (const { chunks } of this.#opened.values()) bytes += chunks.sizeBytes;
    for (const [blockNo, oldest] of this.#opened) {
      if (this.#opened.size === 1 || (bytes <= KEEP.bytes && this.#opened.size <= KEEP.blocks)) return;
      bytes -= oldest.chunks.sizeBytes;
      this.#opened.delete(blockNo);
      releaseBytes(oldest.chunks.payload);
    }
  }

  #writeWhole(file: WholeFile, chunks: ChunkTable): void {
    const contents = contentsOf(file, chunks);
    const path = file.temporary ?? file.path;
    const mode = openingMode(file);
    const descriptor = openSync(nodePath(path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    try {
      try {
        fill(descriptor, file, contents);
        finishFile(descriptor, path, file, mode & ~this.#setup.umask);
      } finally {
        closeSync(descriptor);
      }
      if (file.temporary) renameSync(nodePath(file.temporary), nodePath(file.path));
    } catch (error) {
      unlinkQuietly(path);
      throw error;
    }
  }

  async #compareFile(file: CompareJob["files"][number]): Promise<Uint8Array> {
    const same = new Uint8Array(file.chunks.length);
    let descriptor: number;
    try {
      descriptor = openSync(nodePath(file.path), O_RDONLY | O_NOFOLLOW);
    } catch {
      // What cannot be read is not known to be the same.
      return same;
    }
    try {
      if (!fstatSync(descriptor).isFile()) return same;
      let offset = file.offset;
      for (const [i, key] of file.chunks.entries()) {
        const content = this.#read(descriptor, offset, file.lengths[i]!);
        offset += file.lengths[i]!;
        if (content) same[i] = (await this.#keyOf(content)) === key ? 1 : 0;
      }
    } finally {
      closeSync(descriptor);
    }
    return same;
  }

  async #keyOf(content: Uint8Array): Promise<ChunkKey> {
    return chunkKey(await this.#platform.primitives.hmacSha256(this.#setup.chunkIdKey, KIND_PREFIX, content));
  }

  #read(descriptor: number, offset: number, length: number): Uint8Array | undefined {
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
    let got = 0;
    try {
      while (got < length) {
        const count = readSync(descriptor, this.#buffer, got, length - got, offset + got);
        if (count === 0) return undefined;
        got += count;
      }
    } catch {
      return undefined;
    }
    return this.#buffer.subarray(0, length);
  }
}

/** Puts the contents of a whole file into it. */
function fill(descriptor: number, file: WholeFile, contents: readonly Uint8Array[]): void {
  if (!file.holes && !file.sparse) {
    for (const content of contents) writeFully(descriptor, content, null);
    return;
  }
  ftruncateSync(descriptor, file.size);
  for (const [i, content] of contents.entries()) writeAround(descriptor, content, file.ranges?.[i]?.offset ?? 0, file);
}

function writePiece(piece: FilePiece, chunks: ChunkTable): void {
  writeAround(piece.descriptor, requireLength(chunks.get(piece.chunk), piece.length), piece.offset, piece);
}

function writeAround(
  descriptor: number,
  content: Uint8Array,
  offset: number,
  { holes, sparse = false }: Pick<RareParts, "holes" | "sparse">,
): void {
  if (!holes && !sparse) {
    writeFully(descriptor, content, offset);
    return;
  }
  for (const { start, end } of dataRanges(content, offset, holes ?? [], sparse)) {
    writeFully(descriptor, content.subarray(start, end), offset + start);
  }
}

/** Writes all of it; `position` null appends. */
function writeFully(descriptor: number, content: Uint8Array, position: number | null): void {
  let done = 0;
  while (done < content.length) {
    done += writeSync(descriptor, content, done, content.length - done, position === null ? null : position + done);
  }
}

function contentsOf({ chunkIds, firstChunk, chunks, ranges, size }: WholeFile, table: ChunkTable): Uint8Array[] {
  const contents: Uint8Array[] = [];
  for (let i = 0; i < chunks; i++) {
    contents.push(requireLength(table.getById(chunkIds, firstChunk + i), ranges?.[i]?.length ?? size));
  }
  return contents;
}

function requireLength(chunk: Uint8Array | undefined, length: number): Uint8Array {
  if (chunk?.length === length) return chunk;
  throw new WrongContent(chunk ? "a chunk has another length than the folder says" : "its block does not hold it");
}

class WrongContent extends Error {}

/** Does `work` with each item, unless there is a `failure` already, which then is that of all. */
function attempts<Item>(items: Iterable<Item>, failure: Failure | undefined, work: (item: Item) => void): Failures {
  const failures = new Map<number, Failure>();
  let number = 0;
  for (const item of items) {
    try {
      if (failure) failures.set(number, failure);
      else work(item);
    } catch (error) {
      failures.set(number, failureOf(error));
    }
    number++;
  }
  return failures;
}

function failureOf(error: unknown): Failure {
  if (isAppError(error)) return { code: error.code, detail: error.message };
  if (error instanceof WrongContent) return { code: "chunk_corrupt", detail: error.message };
  const { code, message } = error as NodeJS.ErrnoException;
  if (!code) throw error;
  return { code: "io", detail: message, errno: code };
}

function unlinkQuietly(path: RawPath): void {
  try {
    unlinkSync(nodePath(path));
  } catch {
    // It was not made, or is gone: the failure that led here is the one to report.
  }
}
