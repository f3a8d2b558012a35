import assert from "node:assert/strict";
import { test } from "node:test";
import { isAppError } from "../core/errors.ts";
import type { DeviceId } from "../core/ids.ts";
import { findDevice } from "./find-device.ts";

const row = (id: string, name: string, revoked = false) => ({
  device: id.padEnd(32, "0") as DeviceId,
  name,
  revoked,
  group: "",
  publicKey: new Uint8Array(32),
});
const devices = [
  row("77ab", "laptop"),
  row("77ac", "desk"),
  row("1234", "desk"),
  row("5678", "phone", true),
  row("5679", "phone"),
];
const found = (expression: string) => findDevice(devices, expression).device.slice(0, 4);

test("a machine is found by its name or the beginning of its id", () => {
  assert.equal(found("laptop"), "77ab");
  assert.equal(found("77ac"), "77ac");
});

test("a revoked machine's name belongs to the one that has it now", () => {
  assert.equal(found("phone"), "5679");
  assert.equal(found("5678"), "5678");
});

test("a name that two have names neither", () => {
  assert.throws(
    () => found("desk"),
    (error) => isAppError(error, "not_found"),
  );
  assert.throws(
    () => found("77a"),
    (error) => isAppError(error, "ambiguous_id"),
  );
});
