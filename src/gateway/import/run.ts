// Takes an old server's files into a vault: one snapshot for each file, in a plan named after its v3 user and itself, as the gateway makes them,
// with the times at which the old server stored it. What the vault holds already is passed over: each snapshot carries a tag that
// stands for its file in its state, and tags are compared without any key that reads. The old files are only opened to read.

import type { BackupRequest } from "../../client/backup.ts";
import { nodePlatform } from "../../client/platform.ts";
import { isAppError, throwIfAborted } from "../../core/errors.ts";
import type { SnapshotId } from "../../core/ids.ts";
import { type RawPath, rawJoin, rawToText } from "../../core/raw-path.ts";
import { planToken, tagToken } from "../../crypto/tokens.ts";
import { backUp, newProgress } from "../../engine/backup/run.ts";
import type { VaultPort } from "../../wire/v4/vault-port.ts";
import { oneFileSource, poolFor, v3Plan, v3Tags } from "../one-file.ts";
import { provenContent, UnreadableFile, unprovenContent } from "./content.ts";
import type { Found, ImportItem, ImportProblem } from "./find.ts";

/** On every imported snapshot. */
const IMPORT_TAG = "v3-import";
/** On those whose content could not be proven to be what the old server's client sent. */
const UNPROVEN_TAG = "v3-unproven";

export type ImportRequest = {
  readonly found: Found;
  readonly vault: VaultPort;
  readonly device: BackupRequest["device"];
  /** Also take files whose checksum is wrong or whose owner is unclear. */
  readonly takeUnproven: boolean;
  /** Only say what would be taken; reads no content. */
  readonly dryRun: boolean;
  readonly compressionLevel: number;
  readonly packBytes: number;
  readonly program: string;
  readonly progress: ImportProgress;
  readonly signal: AbortSignal | undefined;
};

/** Live figures: the run changes them, a renderer looks at them when it likes. */
export type ImportProgress = {
  totalFiles: number;
  totalBytes: number;
  /** Looked at: imported, passed over or left out. */
  files: number;
  bytes: number;
  imported: number;
  /** Found in the vault from an earlier run. */
  present: number;
  /** Imported, and the database's checksum proves the content. */
  proven: number;
  addedBytes: number;
  problems: number;
  current: string;
};

export type ImportReport = { readonly problems: readonly ImportProblem[] };

export function newImportProgress(): ImportProgress {
  return {
    totalFiles: 0,
    totalBytes: 0,
    files: 0,
    bytes: 0,
    imported: 0,
    present: 0,
    proven: 0,
    addedBytes: 0,
    problems: 0,
    current: "",
  };
}

/** `interrupted` keeps what is committed; the next run goes on behind it. */
export async function importFiles(request: ImportRequest): Promise<ImportReport> {
  const { progress, signal, found } = request;
  const problems = [...found.problems];
  const isPresent = await presence(request);
  progress.totalFiles = found.items.length;
  progress.totalBytes = found.items.reduce((sum, { entry }) => sum + entry.size, 0);
  progress.problems = problems.length;
  for (const item of found.items) {
    throwIfAborted(signal);
    const bytesBefore = progress.bytes;
    progress.current = rawToText(item.entry.path);
    if (await isPresent(item)) progress.present++;
    else problems.push(...(await importItem(request, item)));
    progress.files++;
    progress.bytes = bytesBefore + item.entry.size;
    progress.problems = problems.length;
  }
  return { problems };
}

/** Whether the vault has a snapshot of an item, in the trash or not: what somebody removed is not brought back. */
async function presence({ vault, device }: ImportRequest): Promise<(item: ImportItem) => Promise<boolean>> {
  const { metaKey } = device.writer;
  const taken = new Set((await vault.snapshots()).flatMap(({ plan, tags }) => tags.map((tag) => `${plan} ${tag}`)));
  return async (item) =>
    taken.has(
      `${await planToken(metaKey, v3Plan(item.user, item.entry.name))} ${await tagToken(metaKey, itemTag(item))}`,
    );
}

function itemTag({ key }: ImportItem): string {
  return `${IMPORT_TAG}-${key}`;
}

/** Counts the item, or says why it was left out. */
async function importItem(request: ImportRequest, item: ImportItem): Promise<ImportProblem[]> {
  const { progress, takeUnproven, dryRun } = request;
  const { path } = item.entry;
  try {
    if (item.doubt !== undefined && !takeUnproven) return [{ path, code: "v3_checksum", detail: item.doubt }];
    const isProven = item.doubt === undefined && (!takeUnproven || dryRun || (await provesItself(request, item)));
    if (!dryRun) await takeSnapshot(request, item, isProven);
    progress.imported++;
    if (isProven && item.cksums.length > 0) progress.proven++;
    return [];
  } catch (error) {
    return [problemOf(path, error)];
  }
}

/** Reads the file once only to know: whether the snapshot is tagged as unproven must be clear before it is begun. */
async function provesItself({ signal }: ImportRequest, item: ImportItem): Promise<boolean> {
  try {
    for await (const _ of provenContent(item, { signal }));
    return true;
  } catch (error) {
    if (isAppError(error, "v3_checksum")) return false;
    throw error;
  }
}

async function takeSnapshot(request: ImportRequest, item: ImportItem, isProven: boolean): Promise<SnapshotId> {
  const { vault, device, progress, signal } = request;
  const { entry, user, takenAt } = item;
  const run = newProgress();
  const options = {
    signal,
    onBytes: (bytes: number) => {
      progress.bytes += bytes;
    },
  };
  const { snapshot } = await backUp({
    vault,
    // The snapshot's own times are the old server's. Its commit is counted by the vault's clock as ever.
    platform: { ...nodePlatform, clock: { ...nodePlatform.clock, now: () => takenAt } },
    source: oneFileSource(entry, isProven ? provenContent(item, options) : unprovenContent(item, options)),
    createPool: (keys) => poolFor(entry.size, keys),
    writer: device.writer,
    signer: device.signer,
    plan: v3Plan(user, entry.name),
    tags: v3Tags(user, IMPORT_TAG, itemTag(item), ...(isProven ? [] : [UNPROVEN_TAG])),
    about: { paths: [rawJoin("/" as RawPath, entry.name)], host: user, user, program: request.program },
    previous: undefined,
    writeState: undefined,
    force: false,
    dryRun: false,
    level: request.compressionLevel,
    packBytes: request.packBytes,
    progress: run,
    signal,
  });
  progress.addedBytes += run.addedBytes;
  return snapshot!;
}

/** A file that cannot be read or proven is left out; anything else ends the run. */
function problemOf(path: RawPath, error: unknown): ImportProblem {
  if (isAppError(error, "v3_checksum")) return { path, code: error.code, detail: String(error.context.detail) };
  if (error instanceof UnreadableFile) return { path, code: error.code, detail: "It could not be read." };
  throw error;
}
