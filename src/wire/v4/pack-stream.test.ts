import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../tests/fast-check.ts";
import { packSession, samplePack, VAULT } from "../../../tests/samples.ts";
import { concatBytes, toHex } from "../../core/bytes.ts";
import { type BlockEntry, SEALED_MAX } from "./pack.ts";
import { checkFooterAgainstFrames, checkFooterLayout, encodeFooter } from "./pack-footer.ts";
import { encodeFrameHeader } from "./pack-frame.ts";
import { encodePackHeader } from "./pack-header.ts";
import { PackStreamParser } from "./pack-stream.ts";

const pack = await samplePack();
const frameBytes = pack.frames.flatMap(({ head, sealed }) => [head, sealed]);
const whole = concatBytes([pack.header, ...frameBytes, pack.footer]);
const corrupt = { code: "pack_corrupt" };

/** What the parser says of these slices, one line an event. */
function parse(slices: Iterable<Uint8Array>): string[] {
  const parser = new PackStreamParser();
  const lines: string[] = [];
  for (const slice of slices) {
    for (const event of parser.push(slice)) {
      if (event.type === "frame") lines.push(`frame ${event.frame.offset} ${toHex(event.sealed)}`);
      else if (event.type !== "length") lines.push(`${event.type} ${toHex(event.bytes)}`);
    }
  }
  parser.end();
  return lines;
}

const expected = [
  `header ${toHex(pack.header)}`,
  ...pack.frames.map(({ sealed }, i) => `frame ${pack.entries[i]!.offset} ${toHex(sealed)}`),
  `footer ${toHex(pack.footer)}`,
];

describe("an upload", () => {
  test("is taken apart the same in any slicing", () => {
    assert.deepEqual(parse([whole]), expected);
    assert.deepEqual(parse(Array.from(whole, (byte) => Uint8Array.of(byte))), expected);
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 12 }), (cuts) => {
        const ends = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        assert.deepEqual(parse(ends.slice(1).map((end, i) => whole.subarray(ends[i]!, end))), expected);
      }),
    );
  });

  test("is taken apart in parts without being held", () => {
    for (const sliceBytes of [1, 3, 7, whole.length]) {
      const parser = new PackStreamParser("x", { inParts: true });
      const lines: string[] = [];
      let parts: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += sliceBytes) {
        const slice = whole.slice(at, at + sliceBytes);
        for (const event of parser.push(slice)) {
          if (event.type === "part") {
            assert.equal(event.bytes.buffer, slice.buffer);
            parts.push(event.bytes);
          } else if (event.type === "frame") {
            assert.equal(event.sealed.length, 0);
            lines.push(`frame ${event.frame.offset} ${toHex(concatBytes(parts))}`);
            parts = [];
          } else if (event.type === "length") {
            assert.equal(event.length, pack[event.of].length);
          } else lines.push(`${event.type} ${toHex(event.bytes)}`);
        }
      }
      parser.end();
      assert.deepEqual(lines, expected, `${sliceBytes}`);
    }
  });

  test("is not copied when a slice holds a whole piece", () => {
    const parser = new PackStreamParser();
    for (const event of parser.push(whole)) {
      assert.ok(event.type !== "length");
      const bytes = event.type === "frame" ? event.sealed : event.bytes;
      assert.equal(bytes.buffer, whole.buffer);
    }
  });

  test("keeps what it gave when more arrives", () => {
    const parser = new PackStreamParser();
    const sealed: Uint8Array[] = [];
    for (let at = 0; at < whole.length; at += 3) {
      for (const event of parser.push(whole.slice(at, at + 3))) if (event.type === "frame") sealed.push(event.sealed);
    }
    assert.deepEqual(
      sealed,
      pack.frames.map((frame) => frame.sealed),
    );
  });

  test("that ends early or goes on is refused", () => {
    for (let length = 0; length < whole.length; length += 13) {
      assert.throws(() => parse([whole.subarray(0, length)]), corrupt, `${length} bytes`);
    }
    assert.throws(() => parse([whole, Uint8Array.of(0)]), corrupt);
    assert.throws(() => parse([concatBytes([whole, Uint8Array.of(0)])]), corrupt);
  });

  test("whose footer differs from its frames is refused", () => {
    for (const change of [{ counter: 1 }, { kind: 2 }, { length: 30 }, { offset: 5 }, { sessionIndex: 1 }]) {
      const entries = [{ ...pack.entries[0]!, ...change } as BlockEntry, pack.entries[1]!];
      const slices = [pack.header, ...frameBytes, encodeFooter(entries)];
      assert.throws(() => parse(slices), corrupt, JSON.stringify(change));
    }
    assert.throws(() => parse([pack.header, ...frameBytes, encodeFooter(pack.entries.slice(1))]), corrupt);
    assert.throws(() => parse([pack.header, ...frameBytes.slice(2), pack.footer]), corrupt);
    assert.throws(() => parse([pack.header, pack.footer]), corrupt);
  });

  test("with a block of a session that it lacks, or over its limit, is refused at the frame", () => {
    const frame = encodeFrameHeader({ length: 29, counter: 0, sessionIndex: 1, kind: 1 });
    assert.throws(() => parse([pack.header, frame]), /names a session/);
    const long = pack.frames[0]!.head.slice();
    new DataView(long.buffer).setUint32(4, SEALED_MAX + 1, true);
    assert.throws(() => parse([pack.header, long]), /cannot have 17825793 bytes/);
  });
});

test("frames and footers beyond the limits are not written", () => {
  const frame = { length: 29, counter: 0, sessionIndex: 0, kind: 1 } as const;
  for (const change of [{ length: 28 }, { length: SEALED_MAX + 1 }, { counter: 2 ** 32 }]) {
    assert.throws(() => encodeFrameHeader({ ...frame, ...change }), { code: "internal" });
  }
  assert.throws(() => encodeFooter([]), { code: "internal" });
  assert.throws(() => encodeFooter([{ ...pack.entries[0]!, chunkIds: new Uint8Array(33) }]), { code: "internal" });
  assert.throws(() => encodePackHeader(VAULT, []), { code: "internal" });
  assert.throws(() => encodePackHeader(VAULT, [{ ...packSession, sealedKey: new Uint8Array(8193) }]), {
    code: "internal",
  });
});

test("a footer alone is checked against its header", () => {
  const header = { length: pack.header.length, sessions: 1 };
  checkFooterLayout(pack.entries, header);
  assert.throws(() => checkFooterLayout(pack.entries, { ...header, length: header.length + 1 }), corrupt);
  assert.throws(() => checkFooterLayout(pack.entries, { ...header, sessions: 0 }), corrupt);
  assert.throws(() => checkFooterLayout(pack.entries.toReversed(), header), corrupt);
  assert.throws(() => checkFooterAgainstFrames(pack.entries, []), corrupt);
});
