// A part of a snapshot as a tar stream in the pax interchange format (IEEE Std 1003.1-2017, pax): names, link targets and extended
// attributes as the bytes that they are, times to the nanosecond. Written here because the tar libraries code names and attributes
// as UTF-8 text, which loses what is not.

import { type Bytes, concatBytes, tryUtf8Decode, utf8 } from "../../core/bytes.ts";
import { type RawPath, rawToBytes } from "../../core/raw-path.ts";
import { ENTRY, type EntryType, type TreeEntry, UNKNOWN_OWNER } from "../../wire/v4/tree-types.ts";
import type { VaultReader } from "../reader/reader.ts";
import { sameContent } from "../reader/search.ts";
import type { FoundEntry } from "../reader/tree-reader.ts";
import { type DumpOptions, dumpedContent, dumpSteps } from "./steps.ts";

const BLOCK_BYTES = 512;
/** Largest numbers of the octal fields. */
const OCTAL = { seven: 0o7777777, eleven: 0o77777777777 } as const;
const NAME_BYTES = 100;
const OWNER_BYTES = 31;
const TYPE_FLAG: Partial<Record<EntryType, string>> = {
  [ENTRY.file]: "0",
  [ENTRY.symlink]: "2",
  [ENTRY.charDevice]: "3",
  [ENTRY.blockDevice]: "4",
  [ENTRY.directory]: "5",
  [ENTRY.fifo]: "6",
};
const HARD_LINK = "1";

/**
 * Everything at and below each of `starts`. Sockets are left out. Throws what reading throws: a file whose size is already announced cannot be
 * passed over, so the stream ends there, without the end mark of a whole archive.
 */
export async function* dumpTar(
  reader: VaultReader,
  starts: FoundEntry | readonly FoundEntry[],
  options: DumpOptions = {},
): AsyncGenerator<Uint8Array> {
  const firstNames = new Map<string, FoundEntry & { readonly name: RawPath }>();
  for await (const { name, ...found } of dumpSteps(reader, starts, options)) {
    const { entry } = found;
    const flag = TYPE_FLAG[entry.type];
    if (flag === undefined) {
      options.onSkip?.(found);
      continue;
    }
    const group =
      entry.hardLink && entry.type === ENTRY.file ? `${entry.hardLink.device}:${entry.hardLink.inode}` : undefined;
    const first = group === undefined ? undefined : firstNames.get(group);
    if (first && sameContent(first.entry, entry)) {
      yield tarHeader(found, name, HARD_LINK, first.name, 0);
      continue;
    }
    if (group !== undefined) firstNames.set(group, { ...found, name });
    const size = entry.type === ENTRY.file ? (entry.size ?? 0) : 0;
    yield tarHeader(found, name, flag, entry.linkTarget, size);
    if (size > 0) yield* dumpedContent(reader, found, options);
    if (size % BLOCK_BYTES !== 0) yield new Uint8Array(BLOCK_BYTES - (size % BLOCK_BYTES));
  }
  yield new Uint8Array(2 * BLOCK_BYTES);
}

/** The header of one entry, with a pax header before it for what does not fit. */
function tarHeader(found: FoundEntry, name: RawPath, flag: string, link: RawPath | undefined, size: number): Bytes {
  const { entry, owners } = found;
  const path = (flag === "5" ? `${name}/` : name) as RawPath;
  const user = owners.users.get(entry.uid) ?? "";
  const group = owners.groups.get(entry.gid) ?? "";
  const records = paxRecords(entry, { path, link, size, user, group });
  const header = ustarHeader({ entry, name: path, flag, link, size, user, group });
  if (records.length === 0) return header;
  const body = concatBytes(records);
  const owner = { entry: plainEntry(entry), user: "", group: "", link: undefined };
  const paxHeader = ustarHeader({ ...owner, name: "PaxHeaders/entry" as RawPath, flag: "x", size: body.length });
  const padding = new Uint8Array((BLOCK_BYTES - (body.length % BLOCK_BYTES)) % BLOCK_BYTES);
  return concatBytes([paxHeader, body, padding, header]);
}

type Fields = {
  readonly path: RawPath;
  readonly link: RawPath | undefined;
  readonly size: number;
  readonly user: string;
  readonly group: string;
};

function paxRecords(entry: TreeEntry, { path, link, size, user, group }: Fields): Bytes[] {
  const records: Bytes[] = [];
  const add = (key: string, value: Uint8Array) => records.push(paxRecord(key, value));
  const texts = [path, link ?? ""].map((raw) => rawToBytes(raw as RawPath));
  if (texts.some((bytes) => tryUtf8Decode(bytes) === undefined)) add("hdrcharset", utf8("BINARY"));
  if (!isPlain(path, NAME_BYTES)) add("path", texts[0]!);
  if (link !== undefined && !isPlain(link, NAME_BYTES)) add("linkpath", texts[1]!);
  if (size > OCTAL.eleven) add("size", utf8(String(size)));
  if (entry.uid > OCTAL.seven && entry.uid !== UNKNOWN_OWNER) add("uid", utf8(String(entry.uid)));
  if (entry.gid > OCTAL.seven && entry.gid !== UNKNOWN_OWNER) add("gid", utf8(String(entry.gid)));
  if (!isPlain(user, OWNER_BYTES)) add("uname", utf8(user));
  if (!isPlain(group, OWNER_BYTES)) add("gname", utf8(group));
  const isWhole = entry.mtimeNanos === 0 && entry.mtimeSeconds >= 0 && entry.mtimeSeconds <= OCTAL.eleven;
  if (!isWhole) add("mtime", utf8(decimalTime(entry)));
  // The key of a record may hold neither "=" nor NUL; no attribute of Linux does.
  for (const { name, value } of entry.xattrs ?? []) {
    if (!/[=\0]/.test(name)) records.push(paxRecordOf(concatBytes([utf8("SCHILY.xattr."), rawToBytes(name)]), value));
  }
  return records;
}

function paxRecord(key: string, value: Uint8Array): Bytes {
  return paxRecordOf(utf8(key), value);
}

/** "length key=value\n", where length counts itself. */
function paxRecordOf(key: Uint8Array, value: Uint8Array): Bytes {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return concatBytes([utf8(`${length} `), key, utf8("="), value, utf8("\n")]);
}

/** Seconds with nine decimals; of a time before 1970 the decimals count away from zero. */
function decimalTime({ mtimeSeconds, mtimeNanos }: TreeEntry): string {
  if (mtimeSeconds >= 0 || mtimeNanos === 0) return `${mtimeSeconds}.${String(mtimeNanos).padStart(9, "0")}`;
  const whole = -(mtimeSeconds + 1);
  return `-${whole}.${String(1e9 - mtimeNanos).padStart(9, "0")}`;
}

type Ustar = {
  readonly entry: TreeEntry;
  readonly name: RawPath;
  readonly flag: string;
  readonly link: RawPath | undefined;
  readonly size: number;
  readonly user: string;
  readonly group: string;
};

/** 512 bytes (ustar Interchange Format). What does not fit is cut or zero here and stands in the pax header. */
function ustarHeader({ entry, name, flag, link, size, user, group }: Ustar): Bytes {
  const header = new Uint8Array(BLOCK_BYTES);
  const text = (at: number, value: string, length: number) => {
    for (let i = 0; i < Math.min(length, value.length); i++) header[at + i] = value.charCodeAt(i);
  };
  const octal = (at: number, value: number, digits: number) => {
    const fits = value >= 0 && value < 8 ** digits;
    text(at, (fits ? value : 0).toString(8).padStart(digits, "0"), digits);
  };
  text(0, name, NAME_BYTES);
  octal(100, entry.mode, 7);
  octal(108, entry.uid, 7);
  octal(116, entry.gid, 7);
  octal(124, size, 11);
  octal(136, entry.mtimeSeconds, 11);
  text(148, " ".repeat(8), 8);
  text(156, flag, 1);
  text(157, link ?? "", NAME_BYTES);
  text(257, "ustar\x0000", 8);
  if (isPlain(user, OWNER_BYTES)) text(265, user, OWNER_BYTES);
  if (isPlain(group, OWNER_BYTES)) text(297, group, OWNER_BYTES);
  octal(329, entry.rdevMajor ?? 0, 7);
  octal(337, entry.rdevMinor ?? 0, 7);
  let sum = 0;
  for (const byte of header) sum += byte;
  octal(148, sum, 6);
  header[154] = 0;
  return header;
}

/** The same metadata without what would need another pax header. */
function plainEntry(entry: TreeEntry): TreeEntry {
  const { xattrs: _, ...rest } = entry;
  return { ...rest, mode: 0o644 };
}

/** ASCII that fits; what is longer or is not ASCII goes to the pax header. */
function isPlain(text: string, length: number): boolean {
  return text.length <= length && /^[\x01-\x7f]*$/.test(text);
}
