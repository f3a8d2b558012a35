// Files on their way to a download, in the browser's own storage on disk (OPFS), where pages may not write to the computer. They are
// decrypted, so they are removed as soon as the download has been handed out, and what a closed tab left behind at the next start.

const FOLDER = "cyberbackup-downloads";
const LOCK = "cyberbackup-download:";

export async function storageFile(): Promise<{ handle: FileSystemFileHandle; name: string }> {
  const name = crypto.randomUUID();
  // Held until this worker ends: by it other tabs see that the file is in use.
  void navigator.locks.request(LOCK + name, () => new Promise<void>(() => undefined));
  return { handle: await (await folder()).getFileHandle(name, { create: true }), name };
}

export async function takeStorageFile(name: string): Promise<File> {
  return (await (await folder()).getFileHandle(name)).getFile();
}

/** One that is not there is fine. */
export async function removeStorageFile(name: string): Promise<void> {
  await (await folder()).removeEntry(name).catch(() => undefined);
}

/** Removes what no tab is at work on. */
export async function clearStorage(): Promise<void> {
  const { held = [] } = await navigator.locks.query();
  const inUse = new Set(held.map(({ name }) => name));
  const downloads = await folder();
  for await (const name of downloads.keys()) if (!inUse.has(LOCK + name)) await removeStorageFile(name);
}

async function folder(): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}
