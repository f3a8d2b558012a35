import assert from "node:assert/strict";
import { test } from "node:test";
import { type Lock, missingEntries, withEntries } from "./lock.ts";

const lock: Lock = {
  packages: {
    "": {},
    "node_modules/tool": {
      version: "1.2.3",
      dev: true,
      optionalDependencies: { "@tool/linux-x64-musl": "1.2.3", "tool-win32-arm64": "1.2.3", extra: "^2.0.0" },
    },
    "node_modules/tool-win32-arm64": { version: "1.2.3" },
  },
};

test("a platform package without an entry is named, with its platform", () => {
  assert.deepEqual(missingEntries(lock), [
    {
      key: "node_modules/@tool/linux-x64-musl",
      entry: { version: "1.2.3", os: ["linux"], cpu: ["x64"], libc: ["musl"], dev: true, optional: true },
    },
  ]);
});

test("a mended lock misses nothing and keeps its order", () => {
  const mended = withEntries(lock, missingEntries(lock));
  assert.deepEqual(missingEntries(mended), []);
  assert.deepEqual(Object.keys(mended.packages), [
    "",
    "node_modules/@tool/linux-x64-musl",
    "node_modules/tool",
    "node_modules/tool-win32-arm64",
  ]);
});
