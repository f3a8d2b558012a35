// Decoders of packs under damage and malice. What a mutation leaves readable must be read back as it is written.

import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "../../src/core/bytes.ts";
import { sha256 } from "../../src/core/sha256.ts";
import { decodeFooter, encodeFooter } from "../../src/wire/v4/pack-footer.ts";
import { decodeFrameHeader, encodeFrameHeader } from "../../src/wire/v4/pack-frame.ts";
import { decodePackHeader, encodePackHeader } from "../../src/wire/v4/pack-header.ts";
import { PackStreamParser } from "../../src/wire/v4/pack-stream.ts";
import { decodeTrailer, encodeTrailer } from "../../src/wire/v4/pack-trailer.ts";
import { surviveMutations } from "../mutate.ts";
import { makeDigestsPrompt } from "../prompt-digest.ts";
import * as samples from "../samples.ts";

makeDigestsPrompt();

const pack = await samples.samplePack();

test("headers", async () => {
  const one = encodePackHeader(samples.VAULT, [samples.packSession]);
  const two = encodePackHeader(samples.VAULT, [
    samples.packSession,
    { ...samples.packSession, sealedKey: samples.counting(0, 0) },
  ]);
  await surviveMutations({
    samples: [one, two],
    decode: (bytes) => decodePackHeader(bytes),
    check: (value, bytes) => {
      const { vaultId, sessions } = value as ReturnType<typeof decodePackHeader>;
      assert.deepEqual(encodePackHeader(vaultId, sessions), bytes);
    },
  });
});

test("frame headers", async () => {
  await surviveMutations({
    samples: pack.frames.map(({ head }) => head),
    decode: (bytes) => decodeFrameHeader(bytes),
    check: (frame, bytes) => assert.deepEqual(encodeFrameHeader(frame as ReturnType<typeof decodeFrameHeader>), bytes),
  });
});

test("footers", async () => {
  await surviveMutations({
    samples: [pack.footer],
    decode: (bytes) => decodeFooter(bytes),
    check: (entries, bytes) => assert.deepEqual(encodeFooter(entries as ReturnType<typeof decodeFooter>), bytes),
  });
});

test("trailers", async () => {
  const trailer = await encodeTrailer({
    receivedAt: samples.TIME,
    headerLength: pack.header.length,
    footerLength: pack.footer.length,
    packId: "ab".repeat(32) as never,
    blockNos: [1, 2, 300, 2 ** 45],
  });
  const check = async (value: unknown, bytes: Uint8Array) =>
    assert.deepEqual(await encodeTrailer(value as Awaited<ReturnType<typeof decodeTrailer>>), bytes);
  await surviveMutations({ samples: [trailer], decode: (bytes) => decodeTrailer(bytes), check, count: 80_000 });
  const withHash = async (bytes: Uint8Array) => {
    const end = Math.max(0, bytes.length - 40);
    return concatBytes([bytes.subarray(0, end), await sha256(bytes.subarray(0, end)), bytes.subarray(end).slice(-8)]);
  };
  await surviveMutations({
    samples: [trailer],
    decode: async (bytes) => decodeTrailer(await withHash(bytes)),
    check: async (value, bytes) => check(value, await withHash(bytes)),
    count: 20_000,
  });
});

test("uploads, in slices of any size", async () => {
  const whole = concatBytes([pack.header, ...pack.frames.flatMap(({ head, sealed }) => [head, sealed]), pack.footer]);
  let step = 0;
  await surviveMutations({
    samples: [whole],
    decode: (bytes) => {
      const size = [1, 7, 64, 1000, bytes.length][step++ % 5]!;
      const parser = new PackStreamParser();
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        for (const event of parser.push(bytes.subarray(at, at + size))) {
          if (event.type === "length") continue;
          pieces.push(
            event.type === "frame" ? concatBytes([encodeFrameHeader(event.frame), event.sealed]) : event.bytes,
          );
        }
      }
      parser.end();
      return concatBytes(pieces);
    },
    check: (pieces, bytes) => assert.deepEqual(pieces, bytes),
  });
});
