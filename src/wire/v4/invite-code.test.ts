import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isAppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import { decodeInviteCode, encodeInviteCode } from "./invite-code.ts";

const code = encodeInviteCode({
  vault: "0123456789abcdef0123456789abcdef" as VaultId,
  key: new Uint8Array(32).fill(7),
  pin: new Uint8Array(32).fill(9),
  address: "https://backup.example/home",
});
const refused = (text: string) =>
  assert.throws(
    () => decodeInviteCode(text),
    (error) =>
      isAppError(error, "invite_code_invalid") && (text.length < 20 || !error.message.includes(text.slice(8, 20))),
    text,
  );

describe("an enrolment code", () => {
  test("is one line without anything that a shell or a mail would change", () => assert.match(code, /^cb4-[\w-]+$/));

  test("survives lines that were broken and blanks around it", () => {
    const broken = ` ${code.replace(/(.{20})/g, "$1\r\n  ")} \n`;
    assert.deepEqual(decodeInviteCode(broken), decodeInviteCode(code));
  });

  test("is refused when any character is wrong, missing or too many", () => {
    for (let i = 0; i < code.length; i++) {
      refused(code.slice(0, i));
      refused(code.slice(0, i) + (code[i] === "x" ? "y" : "x") + code.slice(i + 1));
    }
    refused(`${code}AAAA`);
    refused(`${code}=`);
    refused("cb4-".padEnd(5000, "A"));
  });
});
