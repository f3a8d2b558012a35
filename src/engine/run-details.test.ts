import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bytes, toHex } from "../core/bytes.ts";
import { isAppError } from "../core/errors.ts";
import type { DeviceId, SessionId, VaultId } from "../core/ids.ts";
import { rawFromText, rawToBytes } from "../core/raw-path.ts";
import { sha256 } from "../core/sha256.ts";
import { importMacKey } from "../crypto/primitives.ts";
import { RUN_LIMITS } from "../wire/v4/api/run-routes.ts";
import { openRunDetails, type RunWords, sealRunDetails } from "./run-details.ts";
import { META_PLAN, openMeta, sealMeta } from "./sealed-meta.ts";

const metaKey = new Uint8Array(32).fill(7);
const about = {
  vault: "0a".repeat(16) as VaultId,
  device: "0b".repeat(16) as DeviceId,
  run: "0c".repeat(16) as SessionId,
};
/** The same bytes each time: only for tests. */
const random = { bytes: (length: number): Bytes => new Uint8Array(length).fill(9) };
const words: RunWords = {
  plan: "home",
  host: "laptop",
  paths: [rawFromText("/home/anna")],
  message: "",
  problems: [{ path: rawFromText("/home/anna/größe.txt"), code: "EACCES" }],
  problemCount: 3,
};
const corrupt = (error: unknown) => isAppError(error, "record_corrupt");

describe("details of a run", () => {
  test("are read back by whoever holds the key, as bytes or where no script can read it", async () => {
    const sealed = await sealRunDetails(metaKey, about, words, random);
    const expected = {
      plan: "home",
      host: "laptop",
      paths: [rawToBytes(words.paths[0]!)],
      message: "",
      problems: [{ path: rawToBytes(words.problems[0]!.path), code: "EACCES" }],
      more: 2,
    };
    assert.deepEqual(await openRunDetails(metaKey, about, sealed), expected);
    assert.deepEqual(await openRunDetails(await importMacKey(metaKey), about, sealed), expected);
    // The bytes are docs/format.md's: a change of them is another version.
    assert.equal(toHex(await sha256(sealed)), "ffc54957ec83c88675cb2bfa29ddb1102c883382124d483b810154a421168940");
  });

  test("are bound to their vault, device and run, and to every byte", async () => {
    const sealed = await sealRunDetails(metaKey, about, words, random);
    for (const other of [
      { ...about, vault: "1a".repeat(16) as VaultId },
      { ...about, device: "1b".repeat(16) as DeviceId },
      { ...about, run: "1c".repeat(16) as SessionId },
    ]) {
      await assert.rejects(openRunDetails(metaKey, other, sealed), corrupt);
    }
    await assert.rejects(openRunDetails(new Uint8Array(32), about, sealed), corrupt);
    await assert.rejects(openMeta(metaKey, { ...about, kind: META_PLAN, id: about.run, version: 0 }, sealed), corrupt);
    for (let at = 1; at < sealed.length; at++) {
      const bent = sealed.slice();
      bent[at]! ^= 1;
      await assert.rejects(openRunDetails(metaKey, about, bent), corrupt, `byte ${at}`);
    }
    const [version] = [sealed.with(0, 2)];
    await assert.rejects(openRunDetails(metaKey, about, version), (error) => isAppError(error, "vault_version"));
    await assert.rejects(openRunDetails(metaKey, about, sealed.subarray(0, 20)), corrupt);
  });

  test("hold as many problems as fit, and count the others", async () => {
    const problems = Array.from({ length: 5000 }, (_, n) => ({
      path: rawFromText(`/${"long ".repeat(20)}${n}`),
      code: "EIO",
    }));
    const many = { ...words, problems, problemCount: 6000, message: "\u{1f4a3}".repeat(5000) };
    const sealed = await sealRunDetails(metaKey, about, many, random);
    assert.ok(sealed.length <= RUN_LIMITS.sealedBytes, `${sealed.length}`);
    const details = await openRunDetails(metaKey, about, sealed);
    assert.ok(details.problems.length > 200);
    assert.equal(details.problems.length + details.more, 6000);
    const longPaths = Array.from({ length: 300 }, (_, n) => rawFromText(`/${"x".repeat(4000)}${n}`));
    const wide = await sealRunDetails(metaKey, about, { ...words, paths: longPaths }, random);
    assert.ok(wide.length <= RUN_LIMITS.sealedBytes, `${wide.length}`);
  });

  test("tell of their length no more than how long they are about", async () => {
    const lengthOf = async (name: string) =>
      (await sealRunDetails(metaKey, about, { ...words, message: name }, random)).length;
    assert.equal(await lengthOf("a"), await lengthOf("abc"));
  });
});

describe("the body of a plan", () => {
  test("is bound to its version", async () => {
    const plan = {
      kind: META_PLAN,
      vault: about.vault,
      device: about.device,
      id: "0d".repeat(16),
      version: 3,
    } as const;
    const sealed = await sealMeta(metaKey, plan, { name: "home", count: 2 }, random);
    assert.deepEqual(await openMeta(metaKey, plan, sealed), { name: "home", count: 2 });
    await assert.rejects(openMeta(metaKey, { ...plan, version: 4 }, sealed), corrupt);
    const huge = sealMeta(metaKey, plan, { name: "x".repeat(70_000) }, random);
    await assert.rejects(huge, (error) => isAppError(error, "limit"));
  });
});
