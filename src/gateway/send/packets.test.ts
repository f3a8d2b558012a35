import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../tests/fast-check.ts";
import { isAppError } from "../../core/errors.ts";
import { PLAIN_BYTES_MAX } from "../legacy-crypto.ts";
import { planPackets } from "./packets.ts";

/** Ciphertext of each packet. */
function sizes(plainBytes: number): number[] {
  const { packetBytes, packets, cipherBytes } = planPackets(plainBytes);
  return Array.from({ length: packets }, (_, i) => Math.min(packetBytes, cipherBytes - i * packetBytes));
}

describe("the packets of a file", () => {
  for (const [plainBytes, expected] of [
    [0, [16]],
    [1, [16]],
    [1023, [1024]],
    [1024, [1024, 16]],
    [1025, [1040]],
    [61_439, [61_440]],
    [61_440, [61_440, 16]],
    [61_441, [61_456]],
    [65_520, [65_536]],
    [65_535, [65_536]],
    [65_536, [65_536, 16]],
    [65_537, [65_536, 16]],
    [67_584, [65_536, 2064]],
  ] as const) {
    test(`of ${plainBytes} bytes are the old client's`, () => assert.deepEqual(sizes(plainBytes), expected));
  }

  test("of 1 MiB are 17", () => assert.equal(planPackets(2 ** 20).packets, 17));

  test("can always be counted, and hold the whole ciphertext", () => {
    const large = 65_535 * 65_536;
    for (const plainBytes of [large - 17, large - 16, large - 1, large, PLAIN_BYTES_MAX]) {
      const { packets, packetBytes, cipherBytes } = planPackets(plainBytes);
      assert.ok(packets <= 65_535 && packetBytes % 16 === 0 && packetBytes < 2 ** 17, String(plainBytes));
      assert.ok(packets * packetBytes >= cipherBytes && (packets - 1) * packetBytes < cipherBytes);
      assert.ok(cipherBytes < 2 ** 32);
    }
    fc.assert(
      fc.property(fc.integer({ min: 0, max: PLAIN_BYTES_MAX }), (plainBytes) => {
        const { packets, packetBytes, cipherBytes } = planPackets(plainBytes);
        assert.equal(packets, Math.ceil(cipherBytes / packetBytes));
        assert.ok(packets >= 1 && packets <= 65_535 && cipherBytes > plainBytes);
      }),
    );
  });

  test("end where the protocol does", () => {
    assert.throws(
      () => planPackets(PLAIN_BYTES_MAX + 1),
      (error) => isAppError(error, "limit"),
    );
  });
});
