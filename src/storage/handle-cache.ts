// A few open files, so that reading many blocks of one pack opens it once. A handle that is dropped or pushed out while
// somebody reads from it is closed by its last reader.

import type { FileHandle } from "node:fs/promises";

const CAPACITY = 16;

type Held = { readonly handle: Promise<FileHandle>; users: number; isDoomed: boolean };

export type HandleCache = {
  has(key: string): boolean;
  use<T>(key: string, work: (handle: FileHandle) => Promise<T>): Promise<T>;
  drop(key: string): Promise<void>;
  close(): Promise<void>;
};

export function handleCache(open: (key: string) => Promise<FileHandle>): HandleCache {
  const cache = new Map<string, Held>();

  const doom = async (key: string): Promise<void> => {
    const held = cache.get(key);
    if (held === undefined) return;
    cache.delete(key);
    held.isDoomed = true;
    if (held.users === 0) await (await held.handle).close();
  };

  const acquire = async (key: string): Promise<Held> => {
    const known = cache.get(key);
    if (known !== undefined) {
      cache.delete(key);
      cache.set(key, known);
      known.users++;
      return known;
    }
    const held: Held = { handle: open(key), users: 1, isDoomed: false };
    cache.set(key, held);
    held.handle.catch(() => {
      if (cache.get(key) === held) cache.delete(key);
    });
    const [oldest] = cache.keys();
    if (cache.size > CAPACITY && oldest !== undefined) await doom(oldest);
    return held;
  };

  return {
    has: (key) => cache.has(key),

    async use(key, work) {
      const held = await acquire(key);
      const handle = await held.handle;
      try {
        return await work(handle);
      } finally {
        held.users--;
        if (held.isDoomed && held.users === 0) await handle.close();
      }
    },

    drop: doom,

    async close() {
      await Promise.all([...cache.keys()].map(doom));
    },
  };
}
