// What every object store must do, as named checks that run against a real one: in our tests, and by `doctor` on the user's
// own store. The checks write only below "conformance/" and leave nothing there.

import type { Bytes } from "../core/bytes.ts";
import { equalBytes, utf8 } from "../core/bytes.ts";
import { isAppError } from "../core/errors.ts";
import type { ObjectStore } from "./object-store.ts";

export type ConformanceCheck = { readonly name: string; run(store: ObjectStore): Promise<void> };

export type ConformanceResult = { readonly name: string; readonly problem: string | undefined };

const ROOT = "conformance/";
const A = `${ROOT}a/one`;

/** Runs every check; a store is fit for a vault when no result has a problem. */
export async function checkStore(store: ObjectStore): Promise<ConformanceResult[]> {
  const results: ConformanceResult[] = [];
  for (const check of CONFORMANCE) {
    await clear(store);
    try {
      await check.run(store);
      results.push({ name: check.name, problem: undefined });
    } catch (error) {
      results.push({ name: check.name, problem: (error as Error).message });
    }
  }
  await clear(store);
  return results;
}

export const CONFORMANCE: readonly ConformanceCheck[] = [
  {
    name: "what was put can be got, whole and in parts",
    async run(store) {
      const bytes = pattern(100_000);
      must(await store.put(A, bytes), "put answered false for a new key");
      same(await store.get(A), bytes);
      same(await store.getRange(A, 0, 10), bytes.subarray(0, 10));
      same(await store.getRange(A, 99_990, 10), bytes.subarray(99_990));
      must((await store.size(A)) === bytes.length, "size is wrong");
    },
  },
  {
    name: "a range past the end is cut short",
    async run(store) {
      await store.put(A, pattern(10));
      same(await store.getRange(A, 8, 10), pattern(10).subarray(8));
      same(await store.getRange(A, 10, 10), new Uint8Array());
    },
  },
  {
    name: "an object that is not there is undefined, and removing it is fine",
    async run(store) {
      must((await store.get(A)) === undefined, "get gave something");
      must((await store.getRange(A, 0, 1)) === undefined, "getRange gave something");
      must((await store.size(A)) === undefined, "size gave something");
      await store.remove(A);
    },
  },
  {
    name: "an empty object is an object",
    async run(store) {
      must(await store.put(A, new Uint8Array()), "put answered false");
      same(await store.get(A), new Uint8Array());
      must((await store.size(A)) === 0, "size is wrong");
    },
  },
  {
    name: "a key is written once",
    async run(store) {
      await store.put(A, utf8("first"));
      must(await store.put(A, utf8("first")), "the same bytes again were refused");
      must(!(await store.put(A, utf8("other"))), "other bytes were taken");
      must(!(await store.put(A, utf8("first and more"))), "longer bytes were taken");
      same(await store.get(A), utf8("first"));
    },
  },
  {
    name: "of several writers of one key one wins, and all are told",
    async run(store) {
      const wins = await Promise.all(Array.from({ length: 8 }, (_, i) => store.put(A, utf8(`writer ${i}`))));
      must(wins.filter(Boolean).length === 1, `${wins.filter(Boolean).length} writers won`);
      same(await store.get(A), utf8(`writer ${wins.indexOf(true)}`));
    },
  },
  {
    name: "a streamed object appears on commit only",
    async run(store) {
      const writer = await store.create();
      const slice = pattern(70_000);
      await writer.write(slice.subarray(0, 1));
      await writer.write(slice.subarray(1));
      must((await store.get(A)) === undefined, "it could be seen before commit");
      must(await writer.commit(A), "commit answered false for a new key");
      await writer.abort();
      same(await store.get(A), slice);
    },
  },
  {
    name: "a slice may be reused once write has answered",
    async run(store) {
      const writer = await store.create();
      const slice = utf8("abc");
      await writer.write(slice);
      slice.fill(0);
      await writer.commit(A);
      same(await store.get(A), utf8("abc"));
    },
  },
  {
    name: "an aborted object leaves nothing",
    async run(store) {
      const writer = await store.create();
      await writer.write(utf8("abc"));
      await writer.abort();
      await writer.abort();
      must((await keys(store, ROOT)).length === 0, "something is left");
    },
  },
  {
    name: "committing over other bytes is refused, over the same is fine",
    async run(store) {
      await store.put(A, utf8("abc"));
      for (const [text, expected] of [
        ["abc", true],
        ["abd", false],
      ] as const) {
        const writer = await store.create();
        await writer.write(utf8(text));
        must((await writer.commit(A)) === expected, `commit of "${text}" answered ${!expected}`);
      }
      same(await store.get(A), utf8("abc"));
    },
  },
  {
    name: "listing is sorted by key and keeps to its prefix",
    async run(store) {
      const written = ["a/1", "a/2", "a.x", "a/b/c", "b", "a-"].map((name) => ROOT + name);
      for (const key of written) await store.put(key, utf8(key));
      const listed = await keys(store, ROOT);
      must(listed.join() === [...written].sort().join(), `it listed ${listed.join(", ")}`);
      must((await keys(store, `${ROOT}a/`)).length === 3, "a prefix gave others too");
      must((await keys(store, `${ROOT}none/`)).length === 0, "an empty prefix gave something");
    },
  },
  {
    name: "a removed object is gone, and its key can be written again",
    async run(store) {
      await store.put(A, utf8("abc"));
      await store.getRange(A, 0, 1);
      await store.remove(A);
      must((await store.get(A)) === undefined, "get still gives it");
      must((await store.getRange(A, 0, 1)) === undefined, "getRange still gives it");
      must(await store.put(A, utf8("other")), "the key cannot be written again");
      same(await store.getRange(A, 0, 9), utf8("other"));
    },
  },
  {
    name: "keys that leave the store are refused",
    async run(store) {
      for (const key of ["../x", "/x", "a//b", "a/../b", "", "a\0b", "tmp/x", "index.db", "index.db-wal", "locks/x"]) {
        await refuses(() => store.put(key, utf8("x")), key);
        await refuses(() => store.get(key), key);
        await refuses(() => store.getRange(key, 0, 1), key);
        await refuses(() => store.remove(key), key);
      }
    },
  },
];

async function refuses(call: () => Promise<unknown>, key: string): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (isAppError(error, "filename_invalid")) return;
    throw error;
  }
  throw new Error(`The key ${JSON.stringify(key)} was taken.`);
}

async function keys(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

async function clear(store: ObjectStore): Promise<void> {
  for (const key of await keys(store, ROOT)) await store.remove(key);
}

function pattern(length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
}

function same(got: Uint8Array | undefined, expected: Uint8Array): void {
  must(got !== undefined, "the object is missing");
  must(equalBytes(got!, expected), `${got!.length} bytes came back that are not the ${expected.length} expected`);
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(`${otherwise}.`);
}
