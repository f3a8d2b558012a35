// What a browser lets a page do with the computer's files: the File System Access API where there is one, a download from the browser's own
// storage where there is none. Closing a dialogue is no error.

import { sanitiseName } from "../../../core/filename.ts";
import { removeStorageFile, takeStorageFile } from "../../engine/files/storage.ts";
import type { SaveTarget } from "../../engine/reader-api.ts";
import { saveBlob } from "../../parts/save-file.ts";

type Pickers = {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
  showDirectoryPicker?(options: { mode: "readwrite"; id?: string }): Promise<FileSystemDirectoryHandle>;
};

/** As long as a download that was begun may need its file. */
const KEEP_MS = 10 * 60_000;

export function canChooseFolders(): boolean {
  return pickers().showDirectoryPicker !== undefined;
}

/** Undefined when the person thought better of it. To be called from a click. */
export async function chooseTarget(name: string): Promise<SaveTarget | undefined> {
  const pick = pickers().showSaveFilePicker;
  if (!pick) return { to: "storage" };
  const handle = await unlessClosed(() => pick.call(window, { suggestedName: sanitiseName(name) }));
  return handle && { to: "handle", handle };
}

/** As `chooseTarget`. */
export async function chooseFolder(): Promise<FileSystemDirectoryHandle | undefined> {
  const pick = pickers().showDirectoryPicker;
  return pick && unlessClosed(() => pick.call(window, { mode: "readwrite", id: "restore" }));
}

/** Hands out what a transfer left in storage, as a download of that name. */
export async function handOut(storageName: string, name: string): Promise<void> {
  const file = await takeStorageFile(storageName);
  saveBlob(sanitiseName(name), file, { keptMs: KEEP_MS, onOver: () => void removeStorageFile(storageName) });
}

function pickers(): Pickers {
  return window as unknown as Pickers;
}

async function unlessClosed<T>(pick: () => Promise<T>): Promise<T | undefined> {
  try {
    return await pick();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return undefined;
    throw error;
  }
}
