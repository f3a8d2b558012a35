// Tree entries of every type: fixed ones for vectors and mutations, arbitrary ones for fast-check.

import { type Bytes, ByteWriter } from "../src/core/bytes.ts";
import { type RawPath, rawFromBytes, rawFromText } from "../src/core/raw-path.ts";
import { encodeEntry, encodeSegment } from "../src/wire/v4/tree.ts";
import { ENTRY, type OwnerNames, type TreeEntry } from "../src/wire/v4/tree-types.ts";
import { fc } from "./fast-check.ts";
import { counting } from "./samples.ts";

const raw = (text: string): RawPath => rawFromText(text);
const plain = {
  mode: 0o644,
  uid: 1000,
  gid: 100,
  mtimeSeconds: 1_790_000_000,
  mtimeNanos: 123_456_789,
  ctimeSeconds: 1_790_000_001,
  ctimeNanos: 0,
} as const;

export const treeOwners: OwnerNames = {
  users: new Map([
    [0, "root"],
    [1000, "ann"],
  ]),
  groups: new Map([[100, "bücher"]]),
};

/** One of every type, and every flag, in order of their names. */
export const treeEntries: readonly TreeEntry[] = [
  { ...plain, type: ENTRY.file, name: raw("a empty"), size: 0, chunkIds: new Uint8Array(0), chunkLengths: [] },
  { ...plain, type: ENTRY.file, name: raw("b one"), size: 70_000, chunkIds: counting(1, 32), chunkLengths: [70_000] },
  {
    ...plain,
    type: ENTRY.file,
    name: raw("c everything"),
    mode: 0o4711,
    mtimeSeconds: -1,
    ctimeSeconds: -4_294_967_297,
    birthSeconds: 0,
    birthNanos: 999_999_999,
    hardLink: { device: 2049, inode: 2 ** 53 - 1 },
    changed: true,
    size: 5_000_000_000,
    chunkIds: counting(2, 96),
    chunkLengths: [2 ** 32, 1, 705_032_703],
    holes: [
      { offset: 0, length: 4096 },
      { offset: 8192, length: 4_999_991_808 },
    ],
    xattrs: [
      { name: raw("system.posix_acl_access"), value: counting(0, 44) },
      { name: raw("user.empty"), value: new Uint8Array(0) },
    ],
  },
  {
    ...plain,
    type: ENTRY.file,
    name: raw("c large"),
    size: 3 * 2 ** 40,
    indirect: true,
    chunkIds: counting(4, 64),
    chunkLengths: [2 ** 41, 2 ** 40],
  },
  { ...plain, type: ENTRY.directory, name: raw("d folder"), mode: 0o1755, chunkIds: counting(3, 64) },
  { ...plain, type: ENTRY.symlink, name: raw("e link"), mode: 0o777, linkTarget: raw("../grüße") },
  { ...plain, type: ENTRY.fifo, name: raw("f fifo") },
  { ...plain, type: ENTRY.charDevice, name: raw("g null"), rdevMajor: 1, rdevMinor: 3 },
  { ...plain, type: ENTRY.blockDevice, name: raw("h disk"), rdevMajor: 259, rdevMinor: 1_048_575 },
  { ...plain, type: ENTRY.socket, name: raw("i socket") },
  { ...plain, type: ENTRY.fifo, name: "\xff\xfe no text" as RawPath, uid: 0 },
];

/** A chunk list of three, and the bytes of the file that it is for. */
export const chunkList = { chunkIds: counting(5, 96), lengths: [131_072, 2_097_152, 1] } as const;
export const CHUNK_LIST_COVERS = 131_072 + 2_097_152 + 1;

export function segmentOf(entries: readonly TreeEntry[], owners: OwnerNames = treeOwners): Bytes {
  const writer = new ByteWriter();
  for (const entry of entries) encodeEntry(writer, entry);
  return encodeSegment(owners, entries.length, writer.take());
}

/** The entry's bytes, its length first. */
export function entryBytes(entry: TreeEntry): Bytes {
  const writer = new ByteWriter();
  encodeEntry(writer, entry);
  return writer.take();
}

/** Made as our own code makes objects. */
function plainRecord<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true });
}

const longName = fc.constant(new Uint8Array(4096).fill(0xe9));
const nanos = fc.integer({ min: 0, max: 999_999_999 });
const seconds = fc.oneof(fc.integer(), fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }));
const safe = fc.oneof(fc.nat(300), fc.maxSafeNat());
const anyName = fc
  .oneof({ weight: 20, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 12 }) }, { weight: 1, arbitrary: longName })
  .map((name) => rawFromBytes(name.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte))))
  .filter((name) => name !== "." && name !== "..");
const attribute = plainRecord({
  name: fc.uint8Array({ minLength: 1, maxLength: 255 }).map((name) => rawFromBytes(name.map((byte) => byte || 1))),
  value: fc.uint8Array({ maxLength: 300 }),
});
const xattrs = fc
  .uniqueArray(attribute, { minLength: 1, maxLength: 4, selector: ({ name }) => name })
  .map((list) => list.toSorted((a, b) => (a.name < b.name ? -1 : 1)));

const common = fc
  .record(
    {
      name: anyName,
      mode: fc.nat(0o7777),
      uid: safe,
      gid: safe,
      mtimeSeconds: seconds,
      mtimeNanos: nanos,
      ctimeSeconds: seconds,
      ctimeNanos: nanos,
      birth: plainRecord({ birthSeconds: seconds, birthNanos: nanos }),
      hardLink: plainRecord({ device: safe, inode: safe }),
      changed: fc.constant(true as const),
      xattrs,
    },
    {
      noNullPrototype: true,
      requiredKeys: ["name", "mode", "uid", "gid", "mtimeSeconds", "mtimeNanos", "ctimeSeconds", "ctimeNanos"],
    },
  )
  .map(({ birth, ...rest }) => ({ ...rest, ...birth }));

/** Chunks of a file, few or very many, and holes in it. */
const content = fc
  .tuple(
    fc.oneof(fc.array(fc.integer({ min: 1, max: 2 ** 40 }), { maxLength: 5 }), fc.constant(Array(3000).fill(2 ** 19))),
    fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 50 })), { maxLength: 4 }),
  )
  .map(([chunkLengths, gaps]) => {
    const size = chunkLengths.reduce((sum: number, length: number) => sum + length, 0);
    let end = 0;
    const holes = gaps.map(([gap, length]) => {
      const offset = end + gap;
      end = offset + length;
      return { offset, length };
    });
    const fitting = holes.filter(({ offset, length }) => offset + length <= size);
    const chunkIds = counting(size % 256, 32 * chunkLengths.length);
    const isIndirect = size % 3 === 1;
    return {
      type: ENTRY.file,
      size,
      ...(isIndirect && { indirect: true as const }),
      chunkIds,
      chunkLengths,
      ...(fitting.length > 0 && { holes: fitting }),
    };
  });

const byType = fc.oneof(
  content,
  fc.integer({ min: 1, max: 40 }).map((count) => ({ type: ENTRY.directory, chunkIds: counting(count, 32 * count) })),
  fc.uint8Array({ maxLength: 300 }).map((target) => ({ type: ENTRY.symlink, linkTarget: rawFromBytes(target) })),
  fc.constantFrom({ type: ENTRY.fifo }, { type: ENTRY.socket }),
  plainRecord({ type: fc.constantFrom(ENTRY.charDevice, ENTRY.blockDevice), rdevMajor: safe, rdevMinor: safe }),
);

export const anyEntry: fc.Arbitrary<TreeEntry> = fc
  .tuple(common, byType)
  .map(([fields, more]) => ({ ...fields, ...more }) as TreeEntry);

/** Up to a dozen, in order of their names. */
export const anyEntries: fc.Arbitrary<TreeEntry[]> = fc
  .uniqueArray(anyEntry, { maxLength: 12, selector: ({ name }) => name })
  .map((entries) => entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
