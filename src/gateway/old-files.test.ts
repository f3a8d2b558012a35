import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex, utf8 } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import type { V3ClientId } from "../core/ids.ts";
import { makeLegacyKeyPair } from "./legacy-crypto.ts";
import {
  formatMeInfo,
  parseMeInfo,
  parsePortInfo,
  parseServerAddress,
  parseTransferInfo,
  requirePrivateKey,
} from "./old-files.ts";

const CLIENT = "00112233445566778899aabbccddeeff" as V3ClientId;
const [LOWEST, SOME_PORT, HIGHEST] = [1, 4000, 65_535];
const { privateKey } = await makeLegacyKeyPair();
const base64 = Buffer.from(privateKey).toString("base64");

function refused(work: () => unknown, reason: RegExp): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof AppError && error.code === "v3_file_invalid");
    assert.match(error.message, reason);
    assert.ok(!error.message.includes(base64.slice(0, 40)), "a key must not stand in an error");
    return true;
  });
}

describe("transfer.info", () => {
  const expected = { server: { host: "192.0.2.7", port: SOME_PORT }, user: "alice", path: "/home/alice/a file.txt" };

  for (const [what, text] of [
    ["as it is written", "192.0.2.7:4000\nalice\n/home/alice/a file.txt\n"],
    ["without its last line end", "192.0.2.7:4000\nalice\n/home/alice/a file.txt"],
    ["with line ends of Windows", "192.0.2.7:4000\r\nalice\r\n/home/alice/a file.txt\r\n"],
    ["with a byte order mark, blanks and more lines", "\ufeff 192.0.2.7:4000 \n alice\n/home/alice/a file.txt\n\nx\n"],
  ] as const) {
    test(`is read ${what}`, () => assert.deepEqual(parseTransferInfo(utf8(text), "transfer.info"), expected));
  }

  test("keeps the path as it stands, blanks and letters of any script too", () => {
    const path = String.raw`C:\Users\Ann\ été .txt `;
    assert.equal(parseTransferInfo(utf8(`[::1]:4000\nalice\n${path}\n`), "t").path, path);
  });

  test("names what is wrong", () => {
    refused(() => parseTransferInfo(utf8(""), "t"), /^t is not .*first line/);
    refused(() => parseTransferInfo(utf8("host\nalice\n/a"), "t"), /first line/);
    refused(() => parseTransferInfo(utf8("host:1\n \n/a"), "t"), /second line/);
    refused(() => parseTransferInfo(utf8("host:1\nalice\n"), "t"), /third line/);
    refused(() => parseTransferInfo(new Uint8Array([0xff, 0xfe, 0]), "t"), /UTF-8/);
  });
});

describe("me.info", () => {
  test("is written as the old client does, and read back", () => {
    const text = formatMeInfo({ user: "alice", client: CLIENT, privateKey });
    assert.equal(text, `alice\n${CLIENT}\n${base64}\n`);
    assert.deepEqual(parseMeInfo(utf8(text), "me.info"), { user: "alice", client: CLIENT, privateKey });
  });

  test("is read with other line ends, capitals and a key in several lines", () => {
    const lines = base64.match(/.{1,72}/g)!.join("\r\n");
    const read = parseMeInfo(utf8(`alice\r\n${CLIENT.toUpperCase()}\r\n${lines}\r\n`), "me.info");
    assert.deepEqual(read, { user: "alice", client: CLIENT, privateKey });
  });

  test("names what is wrong, and never shows the key", () => {
    refused(() => parseMeInfo(utf8(`\n${CLIENT}\n${base64}`), "m"), /first line/);
    refused(() => parseMeInfo(utf8(`alice\n${CLIENT}0\n${base64}`), "m"), /second line/);
    refused(() => parseMeInfo(utf8(`alice\n${CLIENT}\n${base64.slice(0, 200)}`), "m"), /RSA key/);
    refused(() => parseMeInfo(utf8(`alice\n${CLIENT}\n`), "m"), /RSA key/);
  });
});

describe("priv.key", () => {
  test("is a PKCS#8 key and nothing else", () => {
    assert.equal(requirePrivateKey(privateKey, "priv.key"), privateKey);
    refused(() => requirePrivateKey(privateKey.subarray(1), "priv.key"), /priv\.key .*RSA key/);
    refused(() => requirePrivateKey(fromHex("302e020100"), "priv.key"), /RSA key/);
  });
});

describe("port.info", () => {
  test("names a port, or none", () => {
    for (const text of ["4000", "4000\n", " 4000\r\n", "\ufeff4000"]) assert.equal(parsePortInfo(utf8(text)), 4000);
    for (const text of ["", "0", "65536", "-1", "4000x", "port 4000"]) {
      assert.equal(parsePortInfo(utf8(text)), undefined, text);
    }
  });
});

describe("a server's address", () => {
  test("is a host and a port", () => {
    assert.deepEqual(parseServerAddress("backup.example:1"), { host: "backup.example", port: LOWEST });
    assert.deepEqual(parseServerAddress("[fe80::1%eth0]:65535"), { host: "fe80::1%eth0", port: HIGHEST });
    for (const text of ["", ":1", "host", "host:", "host:0", "host:65536", "::1:5", "a b:1", "[x]:1", "tcp://h"]) {
      assert.equal(parseServerAddress(text), undefined, text);
    }
  });
});
