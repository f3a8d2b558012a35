// What the main thread asks of a restore worker, and the answers. Everything here is copied between threads.

import type { ErrorCode } from "../../core/errors.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { ChunkKey } from "../../engine/reader/chunk-table.ts";
import type { Hole, Xattr } from "../../wire/v4/tree-types.ts";
import type { BlockKind } from "../../wire/v4/vault-port.ts";

/** Metadata that a file gets when it is complete. */
export type FileMetadata = {
  readonly mode: number;
  /** -1 leaves the owner as the system made it. */
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanos: number;
  readonly xattrs?: readonly Xattr[] | undefined;
};

/** A file whose chunks all lie in one block: made, filled and finished in one go. */
export type WholeFile = FileMetadata &
  RareParts & {
    readonly path: RawPath;
    readonly size: number;
    /** chunkIds of 32 bytes one after the other, of which this file has `chunks` from number `firstChunk` on. */
    readonly chunkIds: Uint8Array;
    readonly firstChunk: number;
    readonly chunks: number;
  };

/** What few files have. */
export type RareParts = {
  /** When set it is written here, and takes its place at `path` by rename. */
  readonly temporary?: RawPath | undefined;
  readonly xattrs?: readonly Xattr[] | undefined;
  /** Where each chunk goes; absent when the only one is the whole file. */
  readonly ranges?: readonly { readonly offset: number; readonly length: number }[] | undefined;
  readonly holes?: readonly Hole[] | undefined;
  /** Leave every page of zeros out. */
  readonly sparse?: boolean | undefined;
};

/** Many `WholeFile`s (file-batch.ts). */
export type FileBatch = {
  readonly paths: readonly RawPath[];
  /** `BATCH_NUMBERS` of each, in the order given there. */
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly chunkIds: Uint8Array<ArrayBuffer>;
  readonly rare: ReadonlyMap<number, RareParts>;
};

/** One chunk of a file that the main thread has open. */
export type FilePiece = {
  readonly descriptor: number;
  readonly chunk: ChunkKey;
  readonly offset: number;
  readonly length: number;
  /** Ranges of the file that stay holes. */
  readonly holes?: readonly Hole[] | undefined;
  /** Leave every page of zeros out: only for a file that is all zeros before. */
  readonly sparse: boolean;
};

export type SealedWork = {
  /** Left out when the worker should have this block open. */
  readonly sealed: Uint8Array<ArrayBuffer> | undefined;
  readonly key: Uint8Array;
  readonly session: string;
  readonly kind: BlockKind;
  readonly counter: number;
  readonly blockNo: number;
};

export type WriteJob = {
  readonly kind: "write";
  /** Absent when no file of the job has any content. */
  readonly block?: SealedWork | undefined;
  readonly whole: FileBatch;
  readonly pieces: readonly FilePiece[];
};

/** Which chunks of files on the disk are what the snapshot has? */
export type CompareJob = {
  readonly kind: "compare";
  readonly files: readonly {
    readonly path: RawPath;
    /** Neighbours; the first lies at `offset`. */
    readonly chunks: readonly ChunkKey[];
    readonly offset: number;
    readonly lengths: readonly number[];
  }[];
};

export type Failure = { readonly code: ErrorCode; readonly detail: string; readonly errno?: string | undefined };

/** What went wrong, by the number of the file or piece; nothing about the others. */
export type Failures = ReadonlyMap<number, Failure>;

export type WriteReply = {
  readonly whole: Failures;
  readonly pieces: Failures;
  /** The blocks that the worker keeps open. */
  readonly open: readonly number[];
  /** The job came without bytes for a block that is no longer open: nothing was done. */
  readonly isMissing?: boolean;
};

/** For each file one byte a chunk: 1 where it is the same. */
export type CompareReply = { readonly same: readonly Uint8Array[] };

export type WorkerSetup = {
  readonly vaultId: string;
  readonly chunkIdKey: Uint8Array;
  readonly umask: number;
};

export type ToWriter = { readonly id: number; readonly job: WriteJob | CompareJob };
export type FromWriter = { readonly id: number } & (
  | { readonly reply: WriteReply | CompareReply; readonly crash?: undefined }
  /** A bug: what the worker threw. */
  | { readonly reply?: undefined; readonly crash: string }
);
