import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { isAppError } from "../../../core/errors.ts";
import type { SessionId } from "../../../core/ids.ts";
import { encodeMap } from "../envelope.ts";
import { bin, binId, decodeMessage, encodeMessage, hexId, whole } from "./coding.ts";
import { DEVICE_ROUTES } from "./device-routes.ts";
import { MEDIA } from "./media.ts";
import { pathOf } from "./route.ts";

const sample = z.strictObject({ id: binId<SessionId>(16), n: whole, key: bin({ max: 4 }) });
const value = { id: "00112233445566778899aabbccddeeff" as SessionId, n: 7, key: new Uint8Array([1, 2]) };

describe("messages in MessagePack", () => {
  it("come back as they went, ids as hex", () => {
    assert.deepEqual(decodeMessage(sample, encodeMessage(sample, value)), value);
  });

  const wrong: [string, unknown][] = [
    ["an id that is too short", { ...value, id: new Uint8Array(15) }],
    ["a missing field", { id: new Uint8Array(16), n: 7 }],
    ["a field that nobody knows", { id: new Uint8Array(16), n: 7, key: value.key, more: 1 }],
    ["bytes over their limit", { id: new Uint8Array(16), n: 7, key: new Uint8Array(5) }],
    ["text for a number", { id: new Uint8Array(16), n: "7", key: value.key }],
  ];
  for (const [what, body] of wrong) {
    it(`refuses ${what}`, () => {
      const bytes = encodeMap({ id: new Uint8Array(16), ...(body as object) });
      assert.throws(
        () => decodeMessage(sample, bytes),
        (error) => isAppError(error, "request_invalid"),
      );
    });
  }

  it("refuses what is no canonical MessagePack", () => {
    const bytes = encodeMessage(sample, value);
    for (let cut = 0; cut < bytes.length; cut++) {
      assert.throws(
        () => decodeMessage(sample, bytes.subarray(0, cut)),
        (error) => isAppError(error, "request_invalid"),
      );
    }
  });
});

describe("routes of the device API", () => {
  it("have one row for each method and path", () => {
    const keys = Object.values(DEVICE_ROUTES).map(({ method, path }) => `${method} ${path}`);
    assert.equal(new Set(keys).size, keys.length);
  });

  it("give devices nothing that deletes but the end of their own session", () => {
    const deleting = Object.entries(DEVICE_ROUTES).filter(([, { method }]) => !["GET", "POST", "PUT"].includes(method));
    assert.deepEqual(
      deleting.map(([name]) => name),
      ["closeSession"],
    );
  });

  it("fill their parameters in, escaped", () => {
    const path = pathOf(DEVICE_ROUTES.pack, { vault: "a/b c", pack: "00" });
    assert.equal(path, "/api/v4/vaults/a%2Fb%20c/packs/00");
  });

  it("name ids by fixed lengths of hex in paths", () => {
    assert.equal(hexId(2).safeParse("00ff").success, true);
    for (const id of ["00f", "00FF", "00ff0", "../a"]) assert.equal(hexId(2).safeParse(id).success, false);
  });

  it("have media types that carry the version", () => {
    for (const kind of ["msgpack", "pack", "blocks", "object"] as const) assert.match(MEDIA[kind], /\.v4/);
  });
});
