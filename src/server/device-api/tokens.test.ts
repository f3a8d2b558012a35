import assert from "node:assert/strict";
import { test } from "node:test";
import { testClock } from "../../../tests/vault/kit.ts";
import { systemRandom as random } from "../../core/clock.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import { DeviceTokens } from "./tokens.ts";

const [vault, other] = ["1", "2"].map((digit) => digit.repeat(32)) as [VaultId, VaultId];
const [device, second] = ["a", "b"].map((digit) => digit.repeat(32)) as [DeviceId, DeviceId];

test("a token is good for a quarter of an hour", () => {
  const clock = testClock();
  const tokens = new DeviceTokens({ clock, random });
  const { token, expiresAt } = tokens.give(vault, device);
  assert.equal(expiresAt, clock.now() + 900_000);
  clock.advance(899_999);
  assert.equal(tokens.whose(token)?.device, device);
  clock.advance(1);
  assert.equal(tokens.whose(token), undefined);
  tokens.sweep();
  assert.deepEqual(tokens.devicesOf(vault), []);
});

test("a device's tokens end together, and nobody else's with them", () => {
  const tokens = new DeviceTokens({ clock: testClock(), random });
  const own = [tokens.give(vault, device), tokens.give(vault, device)];
  const others = [tokens.give(vault, second), tokens.give(other, device)];
  assert.deepEqual(tokens.devicesOf(vault), [device, second]);
  tokens.drop(vault, device);
  for (const { token } of own) assert.equal(tokens.whose(token), undefined);
  for (const { token } of others) assert.notEqual(tokens.whose(token), undefined);
});

test("a device that logs in again and again keeps its last sixteen", () => {
  const tokens = new DeviceTokens({ clock: testClock(), random });
  const given = Array.from({ length: 20 }, () => tokens.give(vault, device).token);
  assert.deepEqual(
    given.map((token) => tokens.whose(token) !== undefined),
    given.map((_, i) => i >= 4),
  );
});
