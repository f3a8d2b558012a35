import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, utf8 } from "../../core/bytes.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import { BINDING_CERTIFICATE, BINDING_ORIGIN, loginStatement } from "./login.ts";

test("the statement of a login has the layout of protocol-v4.md", () => {
  const claim = {
    vault: "11".repeat(16) as VaultId,
    device: "22".repeat(16) as DeviceId,
    challenge: new Uint8Array(32).fill(0x33),
    binding: new Uint8Array(32).fill(0x44),
  };
  const head = toHex(utf8("CB4 login v1\n"));
  const expected = (kind: string) =>
    head + "11".repeat(16) + "22".repeat(16) + "33".repeat(32) + kind + "44".repeat(32);
  assert.equal(toHex(loginStatement({ ...claim, bindingKind: BINDING_CERTIFICATE })), expected("01"));
  assert.equal(toHex(loginStatement({ ...claim, bindingKind: BINDING_ORIGIN })), expected("02"));
});
