// The words of a backup run: what a source gives, what workers do, what a run reports. The engine knows no file system and no
// threads: sources and pools are given to it (client/ for disks and worker threads, the browser has its own).

import type { Bytes } from "../../core/bytes.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { EntryType, Hole, TreeEntry } from "../../wire/v4/tree-types.ts";
import type { BlockKind } from "../../wire/v4/vault-port.ts";

/** What a scan knows of an entry without opening it. Times in seconds and nanoseconds. */
export type ScannedEntry = {
  readonly type: EntryType;
  readonly name: RawPath;
  /** Where the source can open it. */
  readonly path: RawPath;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanos: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanos: number;
  readonly birthSeconds: number | undefined;
  readonly birthNanos: number | undefined;
  readonly inode: number;
  readonly device: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  /** Bytes allocated; less than size hints at holes. */
  readonly allocated: number;
};

/** A scan in order: a directory is entered, its entries come in byte order of their names, then it is left. */
export type ScanItem =
  | { readonly kind: "enter"; readonly name: RawPath; readonly path: RawPath }
  | { readonly kind: "leave"; readonly entry: ScannedEntry }
  | { readonly kind: "entry"; readonly entry: ScannedEntry }
  /** A file whose bytes come from `stream` (standard input, a command). */
  | { readonly kind: "stream"; readonly entry: ScannedEntry; readonly stream: AsyncIterable<Uint8Array> }
  | { readonly kind: "problem"; readonly path: RawPath; readonly code: string };

/** What is only looked up for entries that changed. */
export type EntryDetails = Pick<TreeEntry, "xattrs" | "linkTarget">;

export interface BackupSource {
  scan(): AsyncIterable<readonly ScanItem[]>;
  details(entry: ScannedEntry): EntryDetails;
  userName(uid: number): string | undefined;
  groupName(gid: number): string | undefined;
}

/** The part of a stat that tells whether a file changed since. */
export type FileMark = Pick<
  ScannedEntry,
  "size" | "mtimeSeconds" | "mtimeNanos" | "ctimeSeconds" | "ctimeNanos" | "inode"
>;

export type ReadFile = FileMark & { readonly path: RawPath };

/** Work for a worker that ends in named chunks which it keeps until `assign` says where they go. */
export type ReadJob =
  /** Whole small files. */
  | { readonly kind: "files"; readonly files: readonly ReadFile[] }
  /** Consecutive chunks of one large file, from `offset` on. */
  | {
      readonly kind: "range";
      readonly path: RawPath;
      readonly offset: number;
      readonly lengths: readonly number[];
      readonly holes: readonly Hole[];
    }
  /** Chunks that are in memory already. */
  | { readonly kind: "data"; readonly data: Bytes; readonly lengths: readonly number[] };

export type FileOutcome = {
  readonly chunks: number;
  /** Set when the file could not be read. */
  readonly problem?: string;
  /** Set when the file was not as the scan saw it: what was read belongs to these values. */
  readonly mark?: FileMark;
  /** It still changed during the second try. */
  readonly changed?: boolean;
};

export type ReadResult = {
  /** 32 bytes for each chunk. */
  readonly chunkIds: Bytes;
  readonly lengths: readonly number[];
  /** For "files": one each. For "range": one for the range; its `changed` says that the file ended early. */
  readonly files: readonly FileOutcome[];
};

/** Cut candidates of one part of a large file (engine/chunker). */
export type ScanJob = {
  readonly path: RawPath;
  readonly offset: number;
  readonly end: number;
  readonly holes: readonly Hole[];
};
export type ScanResult = {
  readonly offsets: readonly number[];
  readonly prfs: readonly number[];
  readonly problem?: string;
};

export type FinishedBlock = {
  readonly kind: BlockKind;
  readonly counter: number;
  /** Frame header and sealed bytes, as they lie in a pack. */
  readonly frame: Bytes;
  readonly blockId: Bytes;
  readonly chunkIds: Bytes;
};

export interface SealWorkerPort {
  /** Jobs that were submitted and are not assigned yet. */
  readonly outstanding: number;
  read(job: ReadJob): Promise<ReadResult & { readonly job: number }>;
  /** For each chunk of the job: the counter of the block that it goes to, or -1 where it is stored already. Ends the job. */
  assign(job: number, counters: Int32Array): void;
  scan(job: ScanJob): Promise<ScanResult>;
  /** Metadata of a large file before it is read, and where its holes are. */
  inspect(
    path: RawPath,
  ): Promise<{ readonly mark?: FileMark; readonly holes: readonly Hole[]; readonly problem?: string }>;
  /** Seals a payload that was put together elsewhere. */
  seal(kind: BlockKind, counter: number, payload: Bytes, chunkIds: Bytes): void;
  /** Seals what is left; resolves when all blocks of this worker were given out. */
  flush(): Promise<void>;
}

/** A large file whose bytes come in order, because its workers can open nothing. */
export type LargeRead = {
  /** As it was before its first byte was read. */
  readonly mark: FileMark;
  /** Never throws: what goes wrong ends it, and `after` tells. */
  readonly slices: AsyncIterable<Uint8Array>;
  /** As it is after the last slice. */
  after(): Promise<{ readonly mark: FileMark; readonly problem?: undefined } | { readonly problem: string }>;
};

export interface SealPool {
  readonly workers: readonly SealWorkerPort[];
  /** Where there is one, large files are read by it and cut by the run; else workers search and read them part by part. */
  readonly readLarge?: ((path: RawPath) => Promise<LargeRead | { readonly problem: string }>) | undefined;
  /** Hears of every finished block; set once, before the first job. */
  onBlock: (block: FinishedBlock) => void;
  /** Hears of a worker that died. */
  onFailure: (error: unknown) => void;
  /** Hears of the buffer of a `data` job that no worker needs any more. */
  onSpare: (buffer: ArrayBuffer) => void;
  close(): Promise<void>;
}

export type RunTotals = { readonly files: number; readonly bytes: number };

/** Live figures: the engine changes them, a renderer looks at them when it likes. */
export type BackupProgress = {
  phase: "scanning" | "finishing" | "done";
  files: number;
  directories: number;
  others: number;
  /** Bytes of files that are done, read or not. */
  bytes: number;
  /** Bytes that were read for it. */
  readBytes: number;
  newFiles: number;
  changedFiles: number;
  unchangedFiles: number;
  /** Files that changed under the reader's hands, twice. */
  changedWhileRead: number;
  /** Sealed bytes given to the vault. */
  addedBytes: number;
  /** Bytes of chunks that the vault lacked, before compression. */
  newBytes: number;
  problems: number;
  /** What the last run of the same folders came to, when it is known: about what this one will. */
  expected: RunTotals | undefined;
  currentPath: string;
  /** Current path of each worker. */
  workers: string[];
};

export type BackupProblem = { readonly path: RawPath; readonly code: string };
