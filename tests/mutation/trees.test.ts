// Decoders of trees and state files under damage and malice. What a mutation leaves readable must be read back as it is written.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes } from "../../src/core/bytes.ts";
import { crc32c } from "../../src/core/checksum.ts";
import { type ChunkList, decodeChunkList, encodeChunkList } from "../../src/wire/v4/chunk-list.ts";
import { decodeStateTail, STATE_LIMITS, StateCursor, StateEncoder } from "../../src/wire/v4/state-file.ts";
import { decodeSegment, type TreeSegment } from "../../src/wire/v4/tree.ts";
import { surviveMutations } from "../mutate.ts";
import { SNAPSHOT } from "../samples.ts";
import { stateSink } from "../state-bytes.ts";
import { CHUNK_LIST_COVERS, chunkList, entryBytes, segmentOf, treeEntries } from "../tree-samples.ts";

/** A decoded entry costs more than its few bytes; no field may cost more than that. */
const perEntry = (length: number) => 64 * length + 65_536;

test("tree segments", async () => {
  await surviveMutations({
    samples: [segmentOf(treeEntries), segmentOf(treeEntries.slice(2, 4)), segmentOf([])],
    decode: (bytes) => decodeSegment(bytes),
    check: (segment, bytes) => {
      const { entries, owners } = segment as TreeSegment;
      assert.deepEqual(segmentOf(entries, owners), bytes);
    },
    maxAllocation: perEntry,
  });
});

test("chunk lists", async () => {
  const bytes = encodeChunkList(chunkList);
  await surviveMutations({
    samples: [bytes],
    decode: (input) => decodeChunkList(input, CHUNK_LIST_COVERS),
    check: (list, input) => assert.deepEqual(encodeChunkList(list as ChunkList), input),
  });
});

/** The check writes the state anew, in a buffer of a quarter MiB. */
const withEncoder = (length: number) => perEntry(length) + 512 * 1024;

/** The payload of the only frame of a state file. */
function framePayload(fill: (encoder: StateEncoder) => void): Bytes {
  const sink = stateSink();
  const encoder = new StateEncoder(sink.emit);
  fill(encoder);
  encoder.finish({ snapshot: SNAPSHOT, table: [] });
  const bytes = sink.take();
  return bytes.slice(8, 8 + new DataView(bytes.buffer).getUint32(0, true));
}

type Item = { readonly kind: number; readonly name: string; readonly inode: number } & {
  readonly entry: Uint8Array;
  readonly refs: readonly number[];
};

function readItems(frame: Uint8Array): Item[] {
  const frames = [frame];
  const cursor = new StateCursor(() => frames.shift());
  const items: Item[] = [];
  while (cursor.next()) {
    const { kind, name, inode, entry, refs } = cursor;
    items.push({ kind, name, inode, entry, refs });
  }
  return items;
}

test("frames of a state file", async () => {
  const sample = framePayload((encoder) => {
    encoder.enter(".root" as never);
    for (const [i, entry] of treeEntries.entries()) encoder.entry(i, entryBytes(entry), [2 * i, 2 ** 40 + 1]);
    encoder.entry(
      1,
      entryBytes(treeEntries[1]!),
      Array.from({ length: STATE_LIMITS.refs + 3 }, (_, i) => i),
    );
    encoder.leave(2 ** 50, entryBytes(treeEntries[4]!), []);
  });
  await surviveMutations({
    samples: [sample],
    decode: readItems,
    check: (items, bytes) => {
      const again = framePayload((encoder) => {
        for (const { kind, name, inode, entry, refs } of items as Item[]) {
          if (kind === 1) encoder.enter(name as never);
          else if (kind === 2) encoder.entry(inode, entry, refs);
          else encoder.leave(inode, entry, refs);
        }
      });
      if (bytes.length > 0) assert.deepEqual(again, bytes);
    },
    maxAllocation: withEncoder,
  });
});

test("tails of a state file", async () => {
  const sink = stateSink();
  new StateEncoder(sink.emit).finish({ snapshot: SNAPSHOT, table: [0, 1, 300, 2 ** 50] });
  const tail = sink.take().slice(4, -8);
  await surviveMutations({
    samples: [tail],
    decode: (bytes) => decodeStateTail(bytes, crc32c(bytes)),
    check: (found, bytes) => {
      const again = stateSink();
      new StateEncoder(again.emit).finish(found as ReturnType<typeof decodeStateTail>);
      assert.deepEqual(again.take().slice(4, -8), concatBytes([bytes]));
    },
    maxAllocation: withEncoder,
  });
});
