// Where uploads go, as the gateway sees it: begun, written, and then either committed or aborted. Nothing of an upload may be seen by
// anybody before `commit` has answered, and nothing of it may be left after `abort` or after a crash.

import type { V3ClientId } from "../core/ids.ts";

export type UploadFile = {
  readonly client: V3ClientId;
  readonly user: string;
  /** Has passed `core/filename`. */
  readonly name: string;
  /** What the client says the plaintext has; proven only once it has come. */
  readonly sizeBytes: number;
};

export interface Upload {
  /** The next bytes, which belong to the upload from now on. Waits while the store has enough to do. */
  write(bytes: Uint8Array): Promise<void>;
  /** When it answers, the file survives a crash. When it throws, there is none. */
  commit(): Promise<void>;
  /** Leaves nothing. Never throws; does nothing after `commit` or another `abort`. */
  abort(): Promise<void>;
}

export interface UploadStore {
  /** In words for the log and the start of the program. */
  readonly description: string;
  begin(file: UploadFile): Promise<Upload>;
  close(): Promise<void>;
}
