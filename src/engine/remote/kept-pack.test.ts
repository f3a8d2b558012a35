import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, equalBytes, memoryBy } from "../../core/bytes.ts";
import { PackMemory } from "./kept-pack.ts";

const SEGMENT_BYTES = 4 * 2 ** 20;

test("a kept pack is what was added, as often as it is read, whatever becomes of what was given", () => {
  const pack = new PackMemory().begin();
  const slices = [3, SEGMENT_BYTES - 5, 10, 2 * SEGMENT_BYTES + 1, 0, 7].map((length, i) =>
    new Uint8Array(length).map((_, at) => (at * 31 + i) % 251),
  );
  const whole = concatBytes(slices);
  for (const slice of slices) {
    pack.add(slice);
    slice.fill(0);
  }
  assert.equal(pack.lengthBytes, whole.length);
  for (const pieceBytes of [65_536, 1_000_003]) {
    const pieces = [...pack.pieces(pieceBytes)];
    assert.ok(pieces.every(({ length }) => length > 0 && length <= pieceBytes));
    assert.ok(equalBytes(concatBytes(pieces), whole));
  }
});

test("the memory of a pack that was let go is the next one's, and goes back with the last", () => {
  let [taken, givenBack] = [0, 0];
  const before = memoryBy({
    take: (length) => {
      taken++;
      return new ArrayBuffer(length);
    },
    giveBack: () => void givenBack++,
  });
  try {
    const memory = new PackMemory();
    const [first, second] = [memory.begin(), memory.begin()];
    first.add(new Uint8Array(SEGMENT_BYTES + 1));
    second.add(new Uint8Array(1));
    first.letGo();
    assert.deepEqual([taken, givenBack, first.lengthBytes, [...first.pieces(10)].length], [3, 0, 0, 0]);
    const third = memory.begin();
    third.add(new Uint8Array(2 * SEGMENT_BYTES));
    assert.deepEqual([taken, givenBack], [3, 0]);
    second.letGo();
    third.letGo();
    assert.deepEqual([taken, givenBack], [3, 3]);
  } finally {
    memoryBy(before);
  }
});
