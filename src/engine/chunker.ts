// Content-defined chunking: the only code that decides where a file is cut (chunker-reference.ts states the same rules plainly).
// A keyed gear hash proposes cuts, SipHash-2-4 accepts some of them, and sizes are normalised around an average.
// Cuts must never change for a given key and CHUNKER_VERSION: the same data would be stored anew.
//
// [Note: A cut is named by the number of bytes before it. Whether an offset is a candidate, and its PRF value, depend on
// the 64 bytes before it and the key only, never on an earlier cut. So segments of a file can be scanned apart
// (`scanCandidates`) and the cuts be chosen afterwards, in order (`CutSelector`). And as a chunk has at least 64 bytes,
// its end depends on nothing before its start, which is why `cutBuffer` and `StreamChunker` can skip ahead.]
//
// Sources: gear hash and normalised chunking: Xia et al., "FastCDC", USENIX ATC 2016, §3.2 and §3.4. Why a PRF has the last
// word: plain keyed gear, Rabin and buzhash give their key away (IACR eprint 2025/532 and 2025/558).

import { AppError } from "../core/errors.ts";
import { SipHash } from "../crypto/prf.ts";

export const CHUNKER_VERSION = 1;
export const CHUNK_MIN = 128 * 1024;
export const CHUNK_AVG = 512 * 1024;
export const CHUNK_MAX = 2048 * 1024;

/** Bytes before a cut that the PRF reads. An offset with fewer bytes before it is never a candidate. */
export const CHUNK_WINDOW = 64;
/** Bytes before a cut that still weigh on the gear hash: each one is shifted out of 32 bits after 32 steps. */
const GEAR_WINDOW = 32;

// [Note: A candidate is taken when its PRF value is below a threshold: STRICT until the average size is reached, then LOOSE,
// four times as likely. They solve min + (1 - s) / r + s * (1 - e^(-4r * (max - avg))) / 4r = avg, where
// r = STRICT / 2^32 / 2^candidateBits and s = e^(-r * (avg - min)): the mean chunk of random data is 512 KiB.
// Four, not FastCDC's sixteen: sizes spread more (deviation 0.46 of the mean, not 0.29), yet after an insertion the old cuts
// are met again after 1.35 chunks on average, not 2.3, so that less is stored twice. The test computes all of this anew.]
export const THRESHOLD_STRICT = 25_953_634;
export const THRESHOLD_LOOSE = 4 * THRESHOLD_STRICT;

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Sizes in bytes; one offset in 2^candidateBits (1 to 31) is a candidate. Only tests use other limits than `CHUNK_LIMITS`. */
export type ChunkLimits = {
  readonly min: number;
  readonly avg: number;
  readonly max: number;
  readonly candidateBits: number;
};

export const CHUNK_LIMITS: ChunkLimits = { min: CHUNK_MIN, avg: CHUNK_AVG, max: CHUNK_MAX, candidateBits: 12 };

/** What a vault's `chunkerKey` becomes. One per thread: its PRF keeps its last result. */
export type Chunker = {
  readonly limits: ChunkLimits;
  readonly gear: Int32Array;
  readonly prf: SipHash;
};

/** An offset that could be a cut, with its PRF value, which is below THRESHOLD_LOOSE. */
export type Candidate = { readonly offset: number; readonly prf: number };

/** Makes ready to cut with the vault's 16-byte `chunkerKey`. */
export function createChunker(chunkerKey: Uint8Array, limits: ChunkLimits = CHUNK_LIMITS): Chunker {
  const { min, avg, max, candidateBits } = limits;
  if (min < CHUNK_WINDOW || avg < min || max < avg || candidateBits < 1 || candidateBits > 31) {
    throw new AppError("internal", { context: { detail: "the chunk limits are out of order or range" } });
  }
  const prf = new SipHash(chunkerKey);
  return { limits, gear: gearTable(prf), prf };
}

/** The ends of all chunks of a whole file that lies in `bytes[0, length)`, ascending; the last is `length` (none if 0). */
export function cutBuffer(chunker: Chunker, bytes: Uint8Array, length: number = bytes.length): number[] {
  const cuts: number[] = [];
  for (let start = 0; start < length; ) {
    const cut = findCut(chunker, bytes, start, length, start);
    start = cut < 0 ? length : cut;
    cuts.push(start);
  }
  return cuts;
}

/**
 * The candidates among the offsets in (start, end] of `bytes`, which lies `base` bytes into the file. The bytes before
 * `start` are read as context: the caller keeps at least 64 of them in `bytes`, or all there are in the file.
 */
export function scanCandidates(chunker: Chunker, bytes: Uint8Array, start: number, end: number, base = 0): Candidate[] {
  if (base > 0 && start < CHUNK_WINDOW) {
    throw new AppError("internal", { context: { detail: "a segment needs the 64 bytes before it" } });
  }
  const candidates: Candidate[] = [];
  for (let from = start; ; ) {
    const offset = findCandidate(chunker, bytes, from, end, THRESHOLD_LOOSE);
    if (offset < 0) return candidates;
    candidates.push({ offset: base + offset, prf: chunker.prf.low });
    from = offset;
  }
}

/** Chooses the cuts among candidates that are given to it in ascending order. One per file. */
export class CutSelector {
  readonly #limits: ChunkLimits;
  #start = 0;

  constructor(limits: ChunkLimits = CHUNK_LIMITS) {
    this.#limits = limits;
  }

  /** Takes all candidates up to and including the offset `scanned`; returns the cuts that are now certain. */
  add(candidates: readonly Candidate[], scanned: number): number[] {
    const cuts: number[] = [];
    for (const { offset, prf } of candidates) {
      this.#cutAtMax(offset, cuts);
      const size = offset - this.#start;
      const accepted = size >= this.#limits.min && prf < (size < this.#limits.avg ? THRESHOLD_STRICT : THRESHOLD_LOOSE);
      if (accepted) this.#cut(offset, cuts);
    }
    this.#cutAtMax(scanned + 1, cuts);
    return cuts;
  }

  /** Ends the file; returns the last cuts. */
  end(length: number): number[] {
    const cuts: number[] = [];
    this.#cutAtMax(length, cuts);
    if (length > this.#start) this.#cut(length, cuts);
    return cuts;
  }

  /** Makes the forced cuts that lie before `offset`. */
  #cutAtMax(offset: number, cuts: number[]): void {
    while (offset - this.#start > this.#limits.max) this.#cut(this.#start + this.#limits.max, cuts);
  }

  #cut(offset: number, cuts: number[]): void {
    cuts.push(offset);
    this.#start = offset;
  }
}

/** Most streams are short. */
const FIRST_BUFFER_BYTES = 64 * 1024;

/** Some chunks of a stream, one after the other in a buffer of their own. */
export type CutBatch = { readonly data: Uint8Array<ArrayBuffer>; readonly lengths: readonly number[] };

/** Cuts a stream of slices of any size into batches of chunks, each copied only once. One per file. */
export class StreamChunker {
  readonly #chunker: Chunker;
  readonly #bufferBytes: number;
  readonly #spare: () => ArrayBuffer | undefined;
  /** Chunks that are cut, in `#buffer[0, #start)`, then bytes since the last cut, up to `#end`; those up to `#scanned` hold no cut. */
  #buffer: Uint8Array<ArrayBuffer>;
  #lengths: number[] = [];
  #start = 0;
  #end = 0;
  #scanned = 0;

  /** A batch has at most `bufferBytes`, but room for the largest chunk. `spare` gives buffers of batches that are done with. */
  constructor(chunker: Chunker, bufferBytes: number, spare: () => ArrayBuffer | undefined = () => undefined) {
    this.#chunker = chunker;
    this.#spare = spare;
    this.#bufferBytes = Math.max(bufferBytes, chunker.limits.max);
    this.#buffer = new Uint8Array(Math.min(this.#bufferBytes, FIRST_BUFFER_BYTES));
  }

  /** Takes the next bytes of the file; returns the batches that they complete. */
  push(slice: Uint8Array): CutBatch[] {
    const batches: CutBatch[] = [];
    for (let taken = 0; taken < slice.length; ) {
      if (this.#end === this.#buffer.length) this.#grow();
      const part = slice.subarray(taken, taken + this.#buffer.length - this.#end);
      this.#buffer.set(part, this.#end);
      this.#end += part.length;
      taken += part.length;
      this.#cut();
      // A full buffer has at least one chunk.
      if (this.#end === this.#bufferBytes) batches.push(this.#take());
    }
    return batches;
  }

  /** Ends the file and this chunker; returns what is left, if anything. */
  end(): CutBatch | undefined {
    if (this.#end > this.#start) this.#lengths.push(this.#end - this.#start);
    const data = this.#buffer.subarray(0, this.#end);
    return this.#end > 0 ? { data, lengths: this.#lengths } : undefined;
  }

  #grow(): void {
    const grown = new Uint8Array(Math.min(this.#bufferBytes, this.#buffer.length * 4));
    grown.set(this.#buffer);
    this.#buffer = grown;
  }

  #cut(): void {
    for (;;) {
      const cut = findCut(this.#chunker, this.#buffer, this.#start, this.#end, this.#scanned);
      if (cut < 0) break;
      this.#lengths.push(cut - this.#start);
      this.#start = cut;
      this.#scanned = cut;
    }
    this.#scanned = this.#end;
  }

  /** Gives the chunks away; what follows them goes on in a new buffer. */
  #take(): CutBatch {
    const batch = { data: this.#buffer.subarray(0, this.#start), lengths: this.#lengths };
    const rest = this.#buffer.subarray(this.#start, this.#end);
    const spare = this.#spare();
    const isLargeEnough = spare !== undefined && spare.byteLength >= this.#bufferBytes;
    this.#buffer = isLargeEnough ? new Uint8Array(spare, 0, this.#bufferBytes) : new Uint8Array(this.#bufferBytes);
    this.#buffer.set(rest);
    this.#lengths = [];
    this.#start = 0;
    this.#end = rest.length;
    this.#scanned = rest.length;
    return batch;
  }
}

/** The first cut after `start` and past `scanned` that `bytes[start, end)` decides, or -1. */
function findCut(chunker: Chunker, bytes: Uint8Array, start: number, end: number, scanned: number): number {
  const { min, avg, max } = chunker.limits;
  // Offsets of [min, avg) under the strict threshold, then of [avg, max] under the loose one; (from, to] as findCandidate has it.
  const strictFrom = Math.max(scanned, start + min - 1);
  let cut = findCandidate(chunker, bytes, strictFrom, Math.min(end, start + avg - 1), THRESHOLD_STRICT);
  if (cut >= 0) return cut;
  const looseFrom = Math.max(scanned, start + avg - 1);
  cut = findCandidate(chunker, bytes, looseFrom, Math.min(end, start + max), THRESHOLD_LOOSE);
  if (cut >= 0) return cut;
  return end - start >= max ? start + max : -1;
}

/** The first candidate in (from, to] with a PRF value below `threshold`, or -1. The value is left in `prf.low`. */
function findCandidate(chunker: Chunker, bytes: Uint8Array, from: number, to: number, threshold: number): number {
  const { gear, prf, limits } = chunker;
  const mask = -1 << (32 - limits.candidateBits);
  const words = wordsOf(bytes);
  for (let offset = from; ; ) {
    offset = nextGearHit(gear, mask, bytes, words, Math.max(offset, CHUNK_WINDOW - 1), to);
    if (offset < 0 || prf.hash(bytes, offset - CHUNK_WINDOW, CHUNK_WINDOW) < threshold) return offset;
  }
}

/**
 * The first offset in (from, to] whose gear hash has no bit of `mask`, or -1. The hot loop: all data passes here. It reads
 * `words`, four bytes at once, which is half as fast again as one by one; `bytes` only at the unaligned ends.
 */
function nextGearHit(
  gear: Int32Array,
  mask: number,
  bytes: Uint8Array,
  words: Int32Array,
  from: number,
  to: number,
): number {
  const shift = bytes.byteOffset & 3;
  let h = 0;
  for (let i = from - GEAR_WINDOW + 1; i < from; i++) h = ((h << 1) + gear[bytes[i]!]!) | 0;
  for (let at = from; at < to; ) {
    if (((at + shift) & 3) === 0) {
      const end = Math.min((to + shift) >>> 2, words.length);
      let word = (at + shift) >>> 2;
      for (; word < end; word++) {
        const four = words[word]!;
        h = ((h << 1) + gear[four & 0xff]!) | 0;
        if ((h & mask) === 0) return word * 4 + 1 - shift;
        h = ((h << 1) + gear[(four >>> 8) & 0xff]!) | 0;
        if ((h & mask) === 0) return word * 4 + 2 - shift;
        h = ((h << 1) + gear[(four >>> 16) & 0xff]!) | 0;
        if ((h & mask) === 0) return word * 4 + 3 - shift;
        h = ((h << 1) + gear[four >>> 24]!) | 0;
        if ((h & mask) === 0) return word * 4 + 4 - shift;
      }
      at = Math.max(at, word * 4 - shift);
      if (at >= to) return -1;
    }
    h = ((h << 1) + gear[bytes[at++]!]!) | 0;
    if ((h & mask) === 0) return at;
  }
  return -1;
}

/** The whole aligned words over `bytes`; the first begins up to 3 bytes before it. Empty where words are big-endian. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const shift = bytes.byteOffset & 3;
  return new Int32Array(bytes.buffer, bytes.byteOffset - shift, LITTLE_ENDIAN ? (bytes.length + shift) >>> 2 : 0);
}

/**
 * gear[b] = the low 32 bits of SipHash-2-4(chunkerKey, "g" ‖ b). The PRF itself hashes 64 bytes, and SipHash takes in the
 * length, so the two uses never meet. In a run of one byte b the hash settles at -gear[b]; where that would make every
 * offset of the run a candidate, the top bit is flipped: no key may make sparse files slow.
 */
function gearTable(prf: SipHash): Int32Array {
  const gear = new Int32Array(256);
  const message = new Uint8Array([0x67, 0]);
  for (let byte = 0; byte < 256; byte++) {
    message[1] = byte;
    const value = prf.hash(message, 0, 2) | 0;
    gear[byte] = -value >>> 20 === 0 ? value ^ (1 << 31) : value;
  }
  return gear;
}
