// What people do with what they picked: into a file, an archive or a folder of their computer, as a transfer that everybody sees.

import type { SnapshotId } from "../../../core/ids.ts";
import type { RawPath } from "../../../core/raw-path.ts";
import type { ReaderClient } from "../../engine/reader-client.ts";
import { toastError } from "../../parts/toast.tsx";
import { FILES } from "../../strings/files.ts";
import { chooseFolder, chooseTarget, handOut } from "./file-access.ts";
import { startTransfer } from "./transfers.ts";

export async function downloadFile(
  client: ReaderClient,
  { snapshot, path, name }: { readonly snapshot: SnapshotId; readonly path: RawPath; readonly name: string },
): Promise<void> {
  const target = await chosen(() => chooseTarget(name));
  if (!target) return;
  startTransfer("save", FILES.transfer.save(name), async (options) => {
    const result = await client.call("save", { snapshot, path, target }, options);
    if (result.storageName !== undefined) await handOut(result.storageName, name);
    return result;
  });
}

export async function downloadArchive(
  client: ReaderClient,
  input: {
    readonly snapshot: SnapshotId;
    readonly paths: readonly RawPath[];
    readonly format: "zip" | "tar";
    /** Without its ending. */
    readonly name: string;
  },
): Promise<void> {
  const { snapshot, paths, format } = input;
  const name = `${input.name}.${format}`;
  const target = await chosen(() => chooseTarget(name));
  if (!target) return;
  startTransfer("archive", FILES.transfer.archive(name), async (options) => {
    const result = await client.call("archive", { snapshot, paths, format, target }, options);
    if (result.storageName !== undefined) await handOut(result.storageName, name);
    return result;
  });
}

/** False when no folder was chosen. */
export async function restoreFiles(
  client: ReaderClient,
  {
    snapshot,
    paths,
    existing,
  }: { readonly snapshot: SnapshotId; readonly paths: readonly RawPath[]; readonly existing: "keep" | "replace" },
): Promise<boolean> {
  const directory = await chosen(chooseFolder);
  if (!directory) return false;
  startTransfer("restore", FILES.transfer.restore(directory.name || "/"), (options) =>
    client.call("restore", { snapshot, paths, directory, existing, isAgain: options.isAgain }, options),
  );
  return true;
}

async function chosen<T>(choose: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await choose();
  } catch (error) {
    toastError(error);
    return undefined;
  }
}
