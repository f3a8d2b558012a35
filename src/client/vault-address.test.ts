import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { isAppError } from "../core/errors.ts";
import { parseVaultAddress, vaultAddressText } from "./vault-address.ts";

describe("an address of a vault", () => {
  test("is a folder or a file: URL", () => {
    for (const path of ["/a b", "relative", "C:\\x", "./https:"]) {
      assert.deepEqual(parseVaultAddress(path), { kind: "folder", path });
    }
    assert.deepEqual(parseVaultAddress(pathToFileURL("/a b").href), { kind: "folder", path: "/a b" });
  });

  test("or a vault of a server", () => {
    const place = parseVaultAddress("HTTPS://Host:443/home%20of%20Ann/");
    assert.deepEqual(place, { kind: "server", origin: "https://host", name: "home of Ann" });
    assert.equal(vaultAddressText(place), "https://host/home%20of%20Ann");
  });

  for (const address of [
    "http://host/v",
    "s3://b",
    "file://host/x",
    "https://",
    "https://host",
    "https://host/",
    "https://host/a/b",
    "https://host/a%2Fb",
    "https://host/%ff",
    "https://me:secret@host/v",
    "https://host/v?x",
    "https://host/v#x",
  ]) {
    test(`is not ${address}`, () => {
      assert.throws(
        () => parseVaultAddress(address),
        (error) => isAppError(error, "usage") && !error.message.includes("secret"),
      );
    });
  }
});
