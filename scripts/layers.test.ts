import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "./layers.ts";

const isRefused = (path: string, source: string) => violations(path, source).length > 0;

test("imports that climb are refused", () => {
  const climbs: [path: string, source: string][] = [
    ["src/core/ids.ts", `import { seal } from "../crypto/seal.ts";`],
    ["src/crypto/seal.ts", `import type { Tree } from "../engine/tree.ts";`],
    ["src/engine/backup.ts", `export * from "../client/scan.ts";`],
    ["src/storage/disk.ts", `import { writeAtomic } from "../node/atomic.ts";`],
    ["src/client/scan.ts", `import { openVault } from "../vault/vault.ts";`],
    ["src/node/pool.ts", `new Worker(new URL("../client/worker.ts", import.meta.url));`],
    ["src/wire/v4/record.ts", `import { x } from "../../vault/x.ts";`],
    ["src/engine/verify.ts", `const { x } = await import("../vault/x.ts");`],
  ];
  for (const [path, source] of climbs) assert.ok(isRefused(path, source), source);
});

test("the vault and the server cannot reach what decrypts", () => {
  for (const path of ["src/vault/gc.ts", "src/server/api.ts"]) {
    assert.ok(isRefused(path, `import { open } from "../crypto/seal.ts";`));
    assert.ok(isRefused(path, `import type { SessionKey } from "../crypto/session-key.ts";`));
    assert.ok(isRefused(path, `import { readTree } from "../engine/tree.ts";`));
    assert.ok(isRefused(path, `import { x } from "../crypto/signature/../seal.ts";`));
    assert.ok(isRefused(path, `import { open } from "age-encryption";`));
    assert.ok(!isRefused(path, `import { verify } from "../crypto/signature.ts";`));
  }
});

test("rooms that also run in a browser import nothing of Node", () => {
  for (const name of ["core", "crypto", "wire", "engine", "web"]) {
    assert.ok(isRefused(`src/${name}/a.ts`, `import { readFileSync } from "node:fs";`), name);
    assert.ok(isRefused(`src/${name}/a.ts`, `import { readFileSync } from "fs";`), name);
  }
  assert.ok(!isRefused("src/storage/disk.ts", `import { open } from "node:fs/promises";`));
});

test("a package is imported only where it belongs", () => {
  assert.ok(isRefused("src/engine/a.ts", `import { Command } from "commander";`));
  assert.ok(isRefused("src/vault/a.ts", `import { decode } from "@msgpack/msgpack";`));
  assert.ok(isRefused("src/cli/a.ts", `import fc from "fast-check";`));
  assert.ok(isRefused("src/cli/a.ts", `import koffi from "koffi";`));
  assert.ok(!isRefused("src/crypto/a.ts", `import { Encrypter } from "age-encryption";`));
  assert.ok(!isRefused("src/cli/a.ts", `import { confirm } from "@clack/prompts";`));
});

test("what no check can follow is refused", () => {
  assert.ok(isRefused("src/vault/a.ts", "await import(name);"));
  assert.ok(isRefused("src/engine/a.ts", `import { x } from "../../bench/x.ts";`));
  assert.ok(isRefused("src/elsewhere/a.ts", ""));
  assert.ok(isRefused("src/a.ts", ""));
});

test("imports that point down are allowed", () => {
  const down: [path: string, source: string][] = [
    ["src/wire/v4/record.ts", `import { readU32 } from "../../core/bytes.ts";`],
    ["src/engine/a.ts", `import { b } from "./b.ts"; import { seal } from "../crypto/seal.ts";`],
    ["src/cli/backup.ts", `import { openVault } from "../vault/vault.ts"; import { run } from "../engine/backup.ts";`],
  ];
  for (const [path, source] of down) assert.deepEqual(violations(path, source), []);
});
