// Counts what passes through a store: for tests that say how much may be read or written, and for `--verbose`.

import type { ObjectStore } from "./object-store.ts";

export type StoreCounts = {
  reads: number;
  bytesRead: number;
  writes: number;
  bytesWritten: number;
  removes: number;
  lists: number;
};

export function countingStore(inner: ObjectStore): { store: ObjectStore; counts: StoreCounts } {
  const counts: StoreCounts = { reads: 0, bytesRead: 0, writes: 0, bytesWritten: 0, removes: 0, lists: 0 };

  const read = <T extends Uint8Array | undefined>(bytes: T): T => {
    counts.reads++;
    counts.bytesRead += bytes?.length ?? 0;
    return bytes;
  };

  const store: ObjectStore = {
    async put(key, bytes) {
      counts.writes++;
      counts.bytesWritten += bytes.length;
      return inner.put(key, bytes);
    },
    async create() {
      const writer = await inner.create();
      return {
        async write(slice) {
          counts.bytesWritten += slice.length;
          await writer.write(slice);
        },
        async commit(key) {
          counts.writes++;
          return writer.commit(key);
        },
        abort: () => writer.abort(),
      };
    },
    get: async (key) => read(await inner.get(key)),
    getRange: async (key, offset, length) => read(await inner.getRange(key, offset, length)),
    size: (key) => inner.size(key),
    list(prefix) {
      counts.lists++;
      return inner.list(prefix);
    },
    async remove(key) {
      counts.removes++;
      await inner.remove(key);
    },
    sweep: (before) => inner.sweep(before),
    close: () => inner.close(),
  };
  return { store, counts };
}
