// The last run's tree in the private files of this origin (File System Standard, sync access handles: workers only). A new one gets a
// name of its own, and what names it (device-store.ts) is changed once the snapshot is safe: there is never half of one in use.

import type { Bytes } from "../../core/bytes.ts";
import type { NameToken, VaultId } from "../../core/ids.ts";
import { encodeStateHeader, type StateCursor, type StateTail } from "../../wire/v4/state-file.ts";
import { readState } from "../../wire/v4/state-reader.ts";

/** TypeScript's library has these for workers only. */
type SyncAccess = {
  read(target: Bytes, options: { at: number }): number;
  write(bytes: Bytes, options: { at: number }): number;
  getSize(): number;
  flush(): void;
  close(): void;
};
type PrivateFile = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccess> };

const FOLDER = "backup-states";

export type SavedState = { readonly tail: StateTail; readonly cursor: StateCursor; close(): void };

/** Undefined when there is none that fits: then everything is read. */
export async function openSavedState(name: string, vault: VaultId, plan: NameToken): Promise<SavedState | undefined> {
  let access: SyncAccess;
  try {
    const file = (await (await folder()).getFileHandle(name)) as PrivateFile;
    access = await file.createSyncAccessHandle();
  } catch {
    return undefined;
  }
  try {
    const source = { size: access.getSize(), read: (target: Bytes, at: number) => access.read(target, { at }) };
    return { ...readState(source, vault, plan), close: () => access.close() };
  } catch {
    access.close();
    return undefined;
  }
}

export type NewState = {
  readonly name: string;
  write(bytes: Bytes): void;
  /** Durable from here on. */
  commit(): void;
  /** Takes it away unless it was committed. */
  end(): Promise<void>;
};

export async function createState(vault: VaultId, plan: NameToken, name: string): Promise<NewState> {
  const file = (await (await folder()).getFileHandle(name, { create: true })) as PrivateFile;
  const access = await file.createSyncAccessHandle();
  let at = 0;
  let isCommitted = false;
  let isClosed = false;
  const write = (bytes: Bytes): void => {
    at += access.write(bytes, { at });
  };
  write(encodeStateHeader(vault, plan));
  return {
    name,
    write,
    commit() {
      access.flush();
      access.close();
      isClosed = true;
      isCommitted = true;
    },
    async end() {
      if (!isClosed) access.close();
      isClosed = true;
      if (!isCommitted) await removeState(name);
    },
  };
}

export async function removeState(name: string): Promise<void> {
  try {
    await (await folder()).removeEntry(name);
  } catch {
    // It is gone, or another tab has it open: it is only space.
  }
}

async function folder(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}
