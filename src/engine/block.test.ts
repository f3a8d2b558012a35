import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import { platform } from "../../tests/platform.ts";
import { pseudoRandomBytes } from "../../tests/pseudo-random.ts";
import { counting } from "../../tests/samples.ts";
import { type Bytes, concatBytes, utf8 } from "../core/bytes.ts";
import { padmeLength, sealAad, sealNonce } from "../crypto/sealing.ts";
import {
  BLOCK_LIMITS,
  type BlockContext,
  BlockPayloadWriter,
  blockPayload,
  isBlock,
  openBlock,
  sealBlock,
} from "./block.ts";
import type { EnginePlatform } from "./platform.ts";

const MIB = 2 ** 20;
const key = counting(1, 32);
const context: BlockContext = { vaultId: counting(2, 16), sessionId: counting(3, 16), kind: 1, counter: 7 };
const corrupt = { code: "block_corrupt" } as const;
const TAG_BYTES = 16;
const HEADER_BYTES = 12;

async function seal(chunks: readonly Uint8Array[], level = 0): Promise<Bytes> {
  return (await sealBlock(platform, key, context, blockPayload(chunks), level)).sealed;
}

function open(sealed: Uint8Array): Promise<Uint8Array[]> {
  return openBlock(platform, key, context, sealed, 1);
}

async function plaintextOf(sealed: Uint8Array): Promise<Bytes> {
  const { vaultId, sessionId, kind, counter } = context;
  const aad = sealAad(vaultId, sessionId, kind, counter);
  return (await platform.primitives.gcmOpen(key, sealNonce(kind, counter), aad, sealed))!;
}

/** Seals any plaintext, right or wrong, as a device with the session's key could. */
async function sealPlaintext(plaintext: Uint8Array): Promise<Bytes> {
  const { vaultId, sessionId, kind, counter } = context;
  const aad = sealAad(vaultId, sessionId, kind, counter);
  return platform.primitives.gcmSeal(key, sealNonce(kind, counter), aad, plaintext);
}

/** A plaintext with this head over `body`. */
function plaintext(coding: number, packed: number, payload: number, body: Uint8Array): Bytes {
  const out = new Uint8Array(padmeLength(HEADER_BYTES + body.length));
  const view = new DataView(out.buffer);
  out[0] = coding;
  view.setUint32(4, packed, true);
  view.setUint32(8, payload, true);
  out.set(body, HEADER_BYTES);
  return out;
}

/** This platform, which counts what it compresses. */
function watched(): { platform: EnginePlatform; levels: number[]; bytes: number[] } {
  const levels: number[] = [];
  const bytes: number[] = [];
  const zstd = {
    ...platform.zstd,
    compress: (data: Uint8Array, level: number) => {
      levels.push(level);
      bytes.push(data.length);
      return platform.zstd.compress(data, level);
    },
  };
  return { platform: { ...platform, zstd }, levels, bytes };
}

describe("sealed and opened", () => {
  test("any chunks come back, at any level", async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.constantFrom(0, 1, 3), async (list, level) => {
        const opened = await open(await seal(list, level));
        assert.deepEqual(
          opened.map((chunk) => chunk.slice()),
          list.map((chunk) => chunk.slice()),
        );
      }),
      { numRuns: 30 },
    );
  });

  test("a writer that is used again and again gives the same payloads", () => {
    const writer = new BlockPayloadWriter();
    for (const size of [10, 100_000, 1, 300_000, 0]) {
      const chunks = [pseudoRandomBytes(size + 1, size), utf8("end")];
      for (const chunk of chunks) writer.add(chunk);
      assert.equal(writer.count, 2);
      assert.deepEqual(writer.take().slice(), blockPayload(chunks));
      assert.equal(writer.count, 0);
    }
  });

  test("the sealed length is the Padmé length of head and payload, and a tag", async () => {
    for (const size of [0, 1, 19, 20, 52, 1000, 4096, 70_000]) {
      const sealed = await seal([pseudoRandomBytes(1, size)]);
      assert.equal(sealed.length, padmeLength(HEADER_BYTES + size + 8) + TAG_BYTES, `${size} bytes`);
    }
  });

  test("the id is the hash of the sealed bytes", async () => {
    const { sealed, blockId } = await sealBlock(platform, key, context, blockPayload([utf8("x")]), 0);
    assert.deepEqual(await platform.primitives.sha256(sealed), blockId);
    assert.ok(await isBlock(platform, sealed, blockId));
    sealed[3]! ^= 1;
    assert.ok(!(await isBlock(platform, sealed, blockId)));
  });
});

describe("compression", () => {
  const text = utf8("the same words again and again ".repeat(3000));

  test("level 0 stores as it is, others compress what shrinks", async () => {
    assert.equal((await plaintextOf(await seal([text])))[0], 0);
    const packed = await seal([text], 3);
    assert.equal((await plaintextOf(packed))[0], 1);
    assert.ok(packed.length < text.length / 20);
    assert.equal((await plaintextOf(await seal([pseudoRandomBytes(1, 5000)], 3)))[0], 0);
    assert.equal((await plaintextOf(await seal([utf8("tiny")], 3)))[0], 0);
  });

  test("a large payload is probed in three places, and one that does not shrink there is left alone", async () => {
    const noise = watched();
    await sealBlock(noise.platform, key, context, blockPayload([pseudoRandomBytes(1, 2 * MIB)]), 3);
    assert.deepEqual(
      [noise.levels, noise.bytes],
      [
        [1, 1, 1],
        [16_384, 16_384, 16_384],
      ],
    );

    const half = watched();
    const mixed = pseudoRandomBytes(1, 2 * MIB);
    mixed.fill(5, MIB);
    const { sealed } = await sealBlock(half.platform, key, context, blockPayload([mixed]), 3);
    assert.deepEqual(half.levels, [1, 1, 3]);
    assert.ok(sealed.length < 1.2 * MIB);
    assert.deepEqual((await open(sealed))[0]!.slice(), mixed);

    const small = watched();
    await sealBlock(small.platform, key, context, blockPayload([pseudoRandomBytes(1, 400_000)]), 3);
    assert.deepEqual(small.levels, [3]);
  });
});

describe("what does not fit is refused", () => {
  test("another key, vault, session, kind or counter", async () => {
    const sealed = await seal([utf8("secret")]);
    const others: readonly [Bytes, BlockContext][] = [
      [counting(2, 32), context],
      [key, { ...context, vaultId: counting(9, 16) }],
      [key, { ...context, sessionId: counting(9, 16) }],
      [key, { ...context, kind: 2 }],
      [key, { ...context, counter: 8 }],
    ];
    assert.equal((await open(sealed)).length, 1);
    for (const [otherKey, other] of others) {
      await assert.rejects(openBlock(platform, otherKey, other, sealed, 1), corrupt);
    }
  });

  test("any bit of a sealed block, and any length but its own", async () => {
    const sealed = await seal([utf8("every bit of this counts")]);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const wrong = sealed.slice();
      wrong[bit >>> 3]! ^= 1 << (bit & 7);
      await assert.rejects(open(wrong), corrupt, `bit ${bit}`);
    }
    for (let length = 0; length < sealed.length; length++) {
      await assert.rejects(open(sealed.subarray(0, length)), corrupt, `${length} bytes`);
    }
    await assert.rejects(open(concatBytes([sealed, new Uint8Array(1)])), corrupt);
  });

  test("a head that its own device made wrong", async () => {
    const body = blockPayload([utf8("content")]);
    const { length } = body;
    assert.equal((await open(await sealPlaintext(plaintext(0, length, length, body)))).length, 1);
    const wrong: Record<string, Uint8Array> = {
      "an unknown coding": plaintext(2, length, length, body),
      "another payload length": plaintext(0, length, length - 1, body),
      "a packed length beyond the end": plaintext(0, 2 ** 31, length, body),
      "a shorter packed length": plaintext(0, length - 20, length - 20, body),
      "no zstd frame": plaintext(1, length, length, body),
      "nothing but a head": plaintext(0, 0, 0, new Uint8Array(0)),
      "not even a head": new Uint8Array(11),
    };
    for (const [what, bytes] of Object.entries(wrong)) {
      await assert.rejects(open(await sealPlaintext(bytes)), corrupt, what);
    }
    for (const reserved of [1, 2, 3]) {
      const bytes = plaintext(0, length, length, body);
      bytes[reserved] = 1;
      await assert.rejects(open(await sealPlaintext(bytes)), corrupt, `reserved byte ${reserved}`);
    }
  });

  test("padding that is not zero, too long or too short", async () => {
    const body = blockPayload([pseudoRandomBytes(1, 1000)]);
    const good = plaintext(0, body.length, body.length, body);
    assert.ok(good.length > HEADER_BYTES + body.length, "it has padding");
    const dirty = good.slice();
    dirty[dirty.length - 1] = 1;
    for (const bytes of [dirty, concatBytes([good, new Uint8Array(1)]), good.subarray(0, -1)]) {
      await assert.rejects(open(await sealPlaintext(bytes)), corrupt);
    }
  });

  test("chunk lengths that do not add up", async () => {
    const good = blockPayload([utf8("one"), utf8("three")]);
    const edits: readonly ((view: DataView) => void)[] = [
      (view) => view.setUint32(8, 4, true),
      (view) => view.setUint32(12, 4, true),
      (view) => view.setUint32(12, 2 ** 32 - 1, true),
      (view) => view.setUint32(16, 0, true),
      (view) => view.setUint32(16, 1, true),
      (view) => view.setUint32(16, 3, true),
      (view) => view.setUint32(16, 2 ** 32 - 1, true),
    ];
    for (const [i, edit] of edits.entries()) {
      const body = good.slice();
      edit(new DataView(body.buffer));
      await assert.rejects(open(await sealPlaintext(plaintext(0, body.length, body.length, body))), corrupt, `${i}`);
    }
  });

  test("decompression bombs, before they go off", async () => {
    const bomb = await platform.zstd.compress(new Uint8Array(4 * MIB), 3);
    let decoded = 0;
    const guarded: EnginePlatform = {
      ...platform,
      zstd: {
        ...platform.zstd,
        decompress: (frame, length) => {
          decoded = Math.max(decoded, length);
          return platform.zstd.decompress(frame, length);
        },
      },
    };
    for (const claimed of [
      100,
      4 * MIB - 1,
      4 * MIB + 1,
      BLOCK_LIMITS.payload,
      BLOCK_LIMITS.payload + 1,
      2 ** 32 - 1,
    ]) {
      const sealed = await sealPlaintext(plaintext(1, bomb.length, claimed, bomb));
      await assert.rejects(openBlock(guarded, key, context, sealed, 1), corrupt, `${claimed} bytes`);
    }
    assert.equal(decoded, BLOCK_LIMITS.payload);
  });
});
