import assert from "node:assert/strict";
import { test } from "node:test";
import { isAppError } from "../../core/errors.ts";
import { addressKey } from "./address.ts";
import { Gate } from "./gate.ts";

test("a gate lets few in at once, keeps few waiting, and sends the rest away", async () => {
  const gate = new Gate({ atOnce: 2, mostWaiting: 3 });
  let inside = 0;
  let most = 0;
  const releases: (() => void)[] = [];
  const tries = Array.from({ length: 8 }, () =>
    gate.run(async () => {
      most = Math.max(most, ++inside);
      await new Promise<void>((resolve) => releases.push(resolve));
      inside--;
    }),
  );
  const settled = Promise.allSettled(tries);
  for (let n = 0; n < 5; n++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    releases.shift()?.();
  }
  const results = await settled;
  assert.equal(most, 2);
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 5);
  const refused = results.filter((result) => result.status === "rejected").map(({ reason }) => reason as unknown);
  assert.ok(refused.length === 3 && refused.every((error) => isAppError(error, "too_many_requests")));
  assert.equal(await gate.run(async () => "free again"), "free again");
});

test("addresses are counted by what one party holds", () => {
  const cases: [string, string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:DB8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ];
  for (const [address, key] of cases) assert.equal(addressKey(address), key);
});
