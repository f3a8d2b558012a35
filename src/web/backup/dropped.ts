// What was dropped on the page: as handles where the browser has them, so that they can be asked again later, else as the files
// themselves. Everything of the event must be taken before the first await: it is empty afterwards.

import type { Chosen, ChosenFile } from "./chosen.ts";

type DroppedItem = DataTransferItem & {
  /** File System Access API: Chromium. */
  getAsFileSystemHandle?(): Promise<FileSystemDirectoryHandle | FileSystemFileHandle | null>;
};

export async function chosenOfDrop(transfer: DataTransfer): Promise<Chosen[]> {
  const taken = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item: DroppedItem) => ({
      handle: item.getAsFileSystemHandle?.().catch(() => null) ?? Promise.resolve(null),
      entry: item.webkitGetAsEntry(),
      file: item.getAsFile(),
    }));
  const chosen: Chosen[] = [];
  for (const { handle, entry, file } of taken) {
    const kept = await handle;
    if (kept) chosen.push({ name: kept.name, handle: kept });
    else if (entry?.isDirectory) chosen.push(await filesBelow(entry as FileSystemDirectoryEntry));
    else if (file) chosen.push({ name: file.name, files: [{ path: "", file }] });
  }
  return chosen;
}

/** Everything below a folder, for browsers without handles. A file that cannot be opened is left out here and missed by nobody. */
async function filesBelow(root: FileSystemDirectoryEntry): Promise<Chosen> {
  const files: ChosenFile[] = [];
  const pending = [{ path: "", directory: root }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    for (const entry of await entriesOf(next.directory)) {
      const path = next.path === "" ? entry.name : `${next.path}/${entry.name}`;
      if (entry.isDirectory) pending.push({ path, directory: entry as FileSystemDirectoryEntry });
      else files.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
    }
  }
  return { name: root.name, files };
}

/** A reader gives a hundred at a time, and none at the end. */
async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
