// A folder of a snapshot as a tar archive (POSIX.1-2001 pax), streamed: types, modes, owners, times to the nanosecond, links.
// Names that are not UTF-8 are written as far as text can say them; extended attributes stay out (pax values are text).

import { pack as createPack, type Pack } from "tar-stream";
import { rawToText } from "../core/raw-path.ts";
import { readFile } from "../engine/reader/file-content.ts";
import type { VaultReader } from "../engine/reader/reader.ts";
import type { FoundEntry } from "../engine/reader/tree-reader.ts";
import { ENTRY, type EntryType, type TreeEntry } from "../wire/v4/tree-types.ts";

type Header = Parameters<Pack["entry"]>[0];

const TYPES: Readonly<Partial<Record<EntryType, NonNullable<Header["type"]>>>> = {
  [ENTRY.file]: "file",
  [ENTRY.directory]: "directory",
  [ENTRY.symlink]: "symlink",
  [ENTRY.fifo]: "fifo",
  [ENTRY.charDevice]: "character-device",
  [ENTRY.blockDevice]: "block-device",
};

export type NamedEntry = FoundEntry & { readonly nameInArchive: string };

/** `onSkipped` hears of what tar cannot hold: sockets. */
export async function* tarArchive(
  reader: VaultReader,
  entries: AsyncIterable<NamedEntry>,
  signal: AbortSignal,
  onSkipped: (entry: NamedEntry) => void,
): AsyncGenerator<Uint8Array> {
  const pack = createPack();
  const filling = fill(pack, reader, entries, signal, onSkipped).catch((error) => pack.destroy(error));
  for await (const slice of pack) yield slice as Uint8Array;
  await filling;
}

async function fill(
  pack: Pack,
  reader: VaultReader,
  entries: AsyncIterable<NamedEntry>,
  signal: AbortSignal,
  onSkipped: (entry: NamedEntry) => void,
): Promise<void> {
  const firstNames = new Map<string, string>();
  for await (const found of entries) {
    const { entry, nameInArchive } = found;
    const type = TYPES[entry.type];
    if (type === undefined) {
      onSkipped(found);
      continue;
    }
    const group = entry.hardLink && `${entry.hardLink.device}:${entry.hardLink.inode}`;
    const first = group && firstNames.get(group);
    if (group && !first) firstNames.set(group, nameInArchive);
    const header = headerOf(found, first ? { type: "link" as const, linkname: first } : { type });
    await writeEntry(
      pack,
      header,
      first || entry.type !== ENTRY.file ? undefined : readFile(reader, found, { signal }),
    );
  }
  pack.finalize();
}

function headerOf({ entry, owners, nameInArchive }: NamedEntry, kind: Pick<Header, "type" | "linkname">): Header {
  const isFile = kind.type === "file";
  return {
    name: kind.type === "directory" ? `${nameInArchive}/` : nameInArchive,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    uname: owners.users.get(entry.uid) ?? "",
    gname: owners.groups.get(entry.gid) ?? "",
    mtime: new Date(Math.max(0, entry.mtimeSeconds) * 1000),
    size: isFile ? (entry.size ?? 0) : 0,
    devmajor: entry.rdevMajor ?? 0,
    devminor: entry.rdevMinor ?? 0,
    pax: { mtime: paxTime(entry) },
    ...(entry.linkTarget === undefined ? {} : { linkname: rawToText(entry.linkTarget) }),
    ...kind,
  };
}

/** Decimal seconds; before 1970 the fraction counts downwards. */
function paxTime({ mtimeSeconds, mtimeNanos }: TreeEntry): string {
  const isBefore = mtimeSeconds < 0 && mtimeNanos > 0;
  const seconds = isBefore ? mtimeSeconds + 1 : mtimeSeconds;
  const nanos = isBefore ? 1_000_000_000 - mtimeNanos : mtimeNanos;
  const sign = isBefore && seconds === 0 ? "-" : "";
  return `${sign}${seconds}.${String(nanos).padStart(9, "0")}`;
}

async function writeEntry(pack: Pack, header: Header, content: AsyncIterable<Uint8Array> | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const sink = pack.entry(header, (error) => (error ? reject(error) : resolve()));
  // It fails together with what is written here, which is told first.
  promise.catch(() => undefined);
  for await (const slice of content ?? []) {
    // The reader's pieces are views that later reads may share.
    if (!sink.write(Buffer.from(slice))) await new Promise<void>((drained) => sink.once("drain", () => drained()));
  }
  sink.end(null);
  await promise;
}
