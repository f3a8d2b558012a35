// A store in memory, for tests and for trying things out. `tmp` and the objects outlive the store itself when they are
// given by the caller, so that a test can "crash" one store and open the next one on what it left.

import type { Bytes } from "../core/bytes.ts";
import { concatBytes, equalBytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { type ObjectStore, type ObjectWriter, requireKey, requirePrefix } from "./object-store.ts";

export type MemoryDisk = { readonly objects: Map<string, Bytes>; readonly tmp: Set<Unfinished> };

/** `isAbandoned` once the store that wrote it is closed: what age is on a disk. */
export type Unfinished = { readonly parts: Bytes[]; isAbandoned: boolean };

export function memoryDisk(): MemoryDisk {
  return { objects: new Map(), tmp: new Set() };
}

export function memoryStore(disk: MemoryDisk = memoryDisk()): ObjectStore {
  const { objects, tmp } = disk;
  const mine = new Set<Unfinished>();

  const put = async (key: string, bytes: Uint8Array): Promise<boolean> => {
    const held = objects.get(requireKey(key));
    if (held !== undefined) return equalBytes(held, bytes);
    objects.set(key, new Uint8Array(bytes));
    return true;
  };

  return {
    put,

    async create(): Promise<ObjectWriter> {
      const unfinished: Unfinished = { parts: [], isAbandoned: false };
      tmp.add(unfinished);
      mine.add(unfinished);
      return {
        async write(slice) {
          if (!tmp.has(unfinished))
            throw new AppError("internal", { context: { detail: "a spent writer was written to" } });
          unfinished.parts.push(new Uint8Array(slice));
        },
        async commit(key) {
          if (!tmp.delete(unfinished))
            throw new AppError("internal", { context: { detail: "a writer was committed twice" } });
          return put(key, concatBytes(unfinished.parts));
        },
        async abort() {
          tmp.delete(unfinished);
        },
      };
    },

    async get(key) {
      return objects.get(requireKey(key))?.slice();
    },

    async getRange(key, offset, length) {
      return objects.get(requireKey(key))?.slice(offset, offset + length);
    },

    async size(key) {
      return objects.get(requireKey(key))?.length;
    },

    async *list(prefix) {
      requirePrefix(prefix);
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
      for (const key of keys) {
        const bytes = objects.get(key);
        if (bytes !== undefined) yield { key, sizeBytes: bytes.length };
      }
    },

    async remove(key) {
      objects.delete(requireKey(key));
    },

    async sweep() {
      const abandoned = [...tmp].filter(({ isAbandoned }) => isAbandoned);
      for (const unfinished of abandoned) tmp.delete(unfinished);
      return abandoned.length;
    },

    async close() {
      for (const unfinished of mine) unfinished.isAbandoned = true;
    },
  };
}
