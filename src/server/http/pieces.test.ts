import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "../../core/bytes.ts";
import { Pieces } from "./pieces.ts";

const FULL = 256 * 1024;

for (const sizes of [[], [0], [1], [FULL], [FULL - 1, 2], [10, 3 * FULL, 5], [FULL / 2, FULL / 2, 0, 7]]) {
  for (const isTakenAtOnce of [true, false]) {
    test(`slices of ${sizes.join(", ") || "nothing"} keep their bytes in pieces, taken ${isTakenAtOnce ? "at once" : "late"}`, () => {
      const sent = sizes.map((size, i) => new Uint8Array(size).map((_, at) => at * 7 + i));
      const pieces = new Pieces();
      const got: Uint8Array[] = [];
      const takeAll = (): void => {
        for (let piece = pieces.take(); piece; piece = pieces.take()) {
          assert.equal(piece.length, FULL);
          got.push(piece.slice());
          pieces.giveBack(piece.fill(0));
        }
      };
      for (const slice of sent) {
        pieces.add(slice.slice());
        if (isTakenAtOnce) takeAll();
      }
      assert.equal(got.length + pieces.full, Math.floor(sizes.reduce((sum, size) => sum + size, 0) / FULL));
      takeAll();
      got.push(pieces.takeRest());
      assert.deepEqual(concatBytes(got), concatBytes(sent));
    });
  }
}

test("memory of a piece that was read is the next one's", () => {
  const pieces = new Pieces();
  pieces.add(new Uint8Array(FULL));
  const first = pieces.take()!;
  pieces.giveBack(first);
  pieces.add(new Uint8Array(FULL));
  assert.equal(pieces.take(), first);
});
