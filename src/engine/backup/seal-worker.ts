// What a worker does: read, cut, name, and, once it is told which chunks are new, group, compress and seal. The same code runs in a
// worker thread, a web worker and, for tests, in place. Jobs are handled one after the other; bytes of a job are kept until `assign`.

import { type Bytes, concatBytes, releaseBytes } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { MacKey } from "../../crypto/primitives.ts";
import { FRAME_HEADER_BYTES } from "../../wire/v4/pack.ts";
import { encodeFrameHeader } from "../../wire/v4/pack-frame.ts";
import type { Hole } from "../../wire/v4/tree-types.ts";
import { type BlockKind, KIND_DATA } from "../../wire/v4/vault-port.ts";
import { BlockPayloadWriter, type CompressionLevel, sealBlock } from "../block.ts";
import {
  CHUNK_MAX,
  CHUNK_MIN,
  CHUNK_WINDOW,
  type Chunker,
  createChunker,
  cutBuffer,
  scanCandidates,
} from "../chunker.ts";
import type { EnginePlatform } from "../platform.ts";
import { type FileAccess, readFully, readSettled } from "./read-file.ts";
import type {
  FileMark,
  FileOutcome,
  FinishedBlock,
  ReadFile,
  ReadJob,
  ReadResult,
  ScanJob,
  ScanResult,
} from "./types.ts";

export type SealWorkerKeys = {
  readonly chunkIdKey: MacKey;
  readonly chunkerKey: Bytes;
  readonly sessionKey: Bytes;
  readonly vaultId: Bytes;
  readonly sessionId: Bytes;
  readonly level: CompressionLevel;
};

export type SealWorkerEvents = {
  onBlock(block: FinishedBlock): void;
  /** The buffer of a `data` job is whoever's gave it again. */
  onSpare(buffer: ArrayBuffer): void;
};

type HeldJob = {
  readonly buffer: Bytes;
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
  readonly chunkIds: Bytes;
  /** The buffer came with the job. */
  isGiven: boolean;
};

const SPARE_BUFFERS = 2;
const MIN_BUFFER_BYTES = 2.5 * 2 ** 20;
const DATA_PREFIX = Uint8Array.of(KIND_DATA);

export class SealWorker {
  readonly #platform: EnginePlatform;
  readonly #files: FileAccess;
  readonly #keys: SealWorkerKeys;
  readonly #events: SealWorkerEvents;
  readonly #chunker: Chunker;
  readonly #jobs = new Map<number, HeldJob>();
  #spare: Bytes[] = [];
  readonly #block = new BlockPayloadWriter();
  #blockIds: Bytes[] = [];
  #counter = -1;
  readonly #zeroIds = new Map<number, Bytes>();

  constructor(platform: EnginePlatform, files: FileAccess, keys: SealWorkerKeys, events: SealWorkerEvents) {
    this.#platform = platform;
    this.#files = files;
    this.#keys = keys;
    this.#events = events;
    this.#chunker = createChunker(keys.chunkerKey);
  }

  async read(job: number, work: ReadJob): Promise<ReadResult> {
    if (work.kind === "files") return this.#readFiles(job, work.files);
    if (work.kind === "range") return this.#readRange(job, work.path, work.offset, work.lengths, work.holes);
    const result = await this.#name(job, work.data, startsOf(work.lengths), work.lengths, []);
    this.#jobs.get(job)!.isGiven = true;
    return result;
  }

  async assign(job: number, counters: Int32Array): Promise<void> {
    const held = this.#jobs.get(job);
    if (!held) return;
    this.#jobs.delete(job);
    for (let i = 0; i < counters.length; i++) {
      const counter = counters[i]!;
      if (counter < 0) continue;
      if (counter !== this.#counter) await this.flush();
      this.#counter = counter;
      this.#block.add(held.buffer.subarray(held.starts[i]!, held.starts[i]! + held.lengths[i]!));
      this.#blockIds.push(held.chunkIds.subarray(i * 32, i * 32 + 32));
    }
    if (held.isGiven) this.#events.onSpare(held.buffer.buffer);
    else this.#giveBack(held.buffer);
  }

  /** Seals the open block. */
  async flush(): Promise<void> {
    if (this.#block.count === 0) return;
    const chunkIds = concatBytes(this.#blockIds);
    this.#blockIds = [];
    await this.seal(KIND_DATA, this.#counter, this.#block.take(), chunkIds);
  }

  async seal(kind: BlockKind, counter: number, payload: Uint8Array, chunkIds: Bytes): Promise<void> {
    const { sessionKey, vaultId, sessionId, level } = this.#keys;
    const context = { vaultId, sessionId, kind, counter };
    const headroom = FRAME_HEADER_BYTES;
    const { sealed: frame, blockId } = await sealBlock(this.#platform, sessionKey, context, payload, level, headroom);
    frame.set(encodeFrameHeader({ length: frame.length - headroom, counter, sessionIndex: 0, kind }));
    this.#events.onBlock({ kind, counter, frame, blockId, chunkIds });
  }

  /** Metadata and holes of a large file, before its parts are asked for. */
  async inspect(path: RawPath): Promise<{ mark?: FileMark; holes: readonly Hole[]; problem?: string }> {
    try {
      return await this.#files.withFile(path, async (file) => {
        const mark = await file.mark();
        return { mark, holes: file.holes(mark.size) };
      });
    } catch (error) {
      return { holes: [], problem: codeOf(error) };
    }
  }

  /** Cut candidates in (offset, end] of a large file. */
  async scan({ path, offset, end, holes }: ScanJob): Promise<ScanResult> {
    const lead = Math.min(offset, CHUNK_WINDOW);
    if (coveringHole(holes, offset - lead, end) && !this.#zerosHaveCandidates()) return { offsets: [], prfs: [] };
    const buffer = this.#buffer(end - offset + lead);
    try {
      const got = await this.#files.withFile(path, (file) =>
        readFully(file, buffer, 0, end - offset + lead, offset - lead),
      );
      const candidates = scanCandidates(this.#chunker, buffer, lead, Math.max(lead, got), offset - lead);
      return { offsets: candidates.map((c) => c.offset), prfs: candidates.map((c) => c.prf) };
    } catch (error) {
      return { offsets: [], prfs: [], problem: codeOf(error) };
    } finally {
      this.#giveBack(buffer);
    }
  }

  async #readFiles(job: number, files: readonly ReadFile[]): Promise<ReadResult> {
    let total = 0;
    for (const file of files) total += file.size;
    let buffer = this.#buffer(total);
    let used = 0;
    const starts: number[] = [];
    const lengths: number[] = [];
    const outcomes: FileOutcome[] = [];
    for (const file of files) {
      let outcome: FileOutcome & { size: number };
      try {
        const room = { buffer, at: used };
        const read = this.#files.withFile(file.path, (open) => readSettled(open, file, room));
        outcome = read instanceof Promise ? await read : read;
        buffer = room.buffer;
      } catch (error) {
        outcomes.push({ chunks: 0, problem: codeOf(error) });
        continue;
      }
      const { size, ...rest } = outcome;
      const before = lengths.length;
      if (size > 0) this.#cut(buffer.subarray(used, used + size), used, starts, lengths);
      used += size;
      outcomes.push({ ...rest, chunks: lengths.length - before });
    }
    return this.#name(job, buffer, starts, lengths, outcomes);
  }

  #cut(file: Bytes, base: number, starts: number[], lengths: number[]): void {
    let start = 0;
    for (const end of file.length <= CHUNK_MIN ? [file.length] : cutBuffer(this.#chunker, file)) {
      starts.push(base + start);
      lengths.push(end - start);
      start = end;
    }
  }

  async #readRange(
    job: number,
    path: RawPath,
    offset: number,
    lengths: readonly number[],
    holes: readonly Hole[],
  ): Promise<ReadResult> {
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const buffer = this.#buffer(total);
    const isHole = coveringHole(holes, offset, offset + total);
    let got = 0;
    try {
      if (isHole) {
        buffer.fill(0, 0, total);
        got = total;
      } else {
        const read = this.#files.withFile(path, (file) => readFully(file, buffer, 0, total, offset));
        got = read instanceof Promise ? await read : read;
      }
    } catch (error) {
      return this.#name(job, buffer, [], [], [{ chunks: 0, problem: codeOf(error) }]);
    }
    const kept: number[] = [];
    let left = got;
    for (const length of lengths) {
      if (left <= 0) break;
      kept.push(Math.min(length, left));
      left -= length;
    }
    const outcome: FileOutcome = { chunks: kept.length, ...(got < total ? { changed: true } : {}) };
    return this.#name(job, buffer, startsOf(kept), kept, [outcome], isHole);
  }

  async #name(
    job: number,
    buffer: Bytes,
    starts: number[],
    lengths: readonly number[],
    files: readonly FileOutcome[],
    isHole = false,
  ): Promise<ReadResult> {
    const chunkIds = new Uint8Array(lengths.length * 32);
    const { primitives } = this.#platform;
    const pending: Promise<void>[] = [];
    for (let i = 0; i < lengths.length; i++) {
      const chunk = buffer.subarray(starts[i]!, starts[i]! + lengths[i]!);
      const zero = chunk.length === CHUNK_MAX && (isHole || isZero(chunk));
      const known = zero ? this.#zeroIds.get(chunk.length) : undefined;
      const named = known ?? primitives.hmacSha256(this.#keys.chunkIdKey, DATA_PREFIX, chunk);
      const put = (id: Bytes): void => {
        if (zero) this.#zeroIds.set(chunk.length, id);
        chunkIds.set(id, i * 32);
      };
      // A browser takes as long to hand one over as to hash many kilobytes: they go side by side.
      if (named instanceof Promise) pending.push(named.then(put));
      else put(named);
    }
    if (pending.length > 0) await Promise.all(pending);
    this.#jobs.set(job, { buffer, starts, lengths: [...lengths], chunkIds, isGiven: false });
    return { chunkIds, lengths, files };
  }

  /** In a run of zeros every offset has the same hash: either all are candidates or none is. */
  #zerosHaveCandidates(): boolean {
    return scanCandidates(this.#chunker, new Uint8Array(2 * CHUNK_WINDOW), CHUNK_WINDOW, 2 * CHUNK_WINDOW).length > 0;
  }

  #buffer(length: number): Bytes {
    const at = this.#spare.findIndex((spare) => spare.length >= length);
    if (at >= 0) return this.#spare.splice(at, 1)[0]!;
    return new Uint8Array(Math.max(length, MIN_BUFFER_BYTES));
  }

  #giveBack(buffer: Bytes): void {
    if (this.#spare.length < SPARE_BUFFERS) this.#spare.push(buffer);
    else releaseBytes(buffer);
  }
}

function coveringHole(holes: readonly Hole[], start: number, end: number): boolean {
  return holes.some((hole) => hole.offset <= start && hole.offset + hole.length >= end);
}

/** Word by word: byte by byte it would cost more than hashing the chunk. */
function isZero(chunk: Bytes): boolean {
  if (chunk[0] !== 0 || chunk[chunk.length - 1] !== 0) return false;
  const head = Math.min(chunk.length, (4 - (chunk.byteOffset % 4)) % 4);
  const words = new Uint32Array(chunk.buffer, chunk.byteOffset + head, (chunk.length - head) >>> 2);
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  for (let i = 0; i < head; i++) if (chunk[i] !== 0) return false;
  for (let i = head + 4 * words.length; i < chunk.length; i++) if (chunk[i] !== 0) return false;
  return true;
}

function startsOf(lengths: readonly number[]): number[] {
  let at = 0;
  return lengths.map((length) => {
    const start = at;
    at += length;
    return start;
  });
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (typeof code !== "string") throw error;
  return code;
}
