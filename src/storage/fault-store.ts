// A store that dies: from its n-th mutating operation on, every call fails, as if the process had been killed there. One
// counter is shared with the database, so that "the n-th operation" runs through both (tests/vault/crash-matrix.test.ts).

import { AppError } from "../core/errors.ts";
import type { ObjectStore, ObjectWriter } from "./object-store.ts";

export type FaultCounter = {
  /** Mutating operations so far. */
  readonly operations: number;
  readonly isStopped: boolean;
  /** Counts a mutating operation; throws when it is one too many. */
  step(): void;
  /** Throws once it has stopped. */
  requireAlive(): void;
};

export type FaultOptions = {
  /** "torn": the write that is one too many still leaves its first half in tmp. */
  readonly mode?: "clean" | "torn";
  /** Keys whose reading fails as a bad disk would. */
  readonly isUnreadable?: (key: string) => boolean;
};

/** Operations 1 to `limit` succeed; nothing does after that. */
export function stopAfter(limit: number): FaultCounter {
  let operations = 0;
  let isStopped = false;
  const stop = (): never => {
    throw new AppError("io", { context: { path: "the vault", detail: "The test stopped it here." } });
  };
  return {
    get operations() {
      return operations;
    },
    get isStopped() {
      return isStopped;
    },
    step() {
      if (isStopped) stop();
      operations++;
      if (operations <= limit) return;
      isStopped = true;
      stop();
    },
    requireAlive() {
      if (isStopped) stop();
    },
  };
}

export function faultStore(inner: ObjectStore, counter: FaultCounter, options: FaultOptions = {}): ObjectStore {
  const { mode = "clean", isUnreadable = () => false } = options;

  const read = (key: string): void => {
    counter.requireAlive();
    if (isUnreadable(key)) {
      const cause = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
      throw new AppError("io", { cause, context: { path: key, detail: "EIO: i/o error, read." } });
    }
  };

  const stepOrTear = async (writer: ObjectWriter, slice: Uint8Array): Promise<void> => {
    const wasStopped = counter.isStopped;
    try {
      counter.step();
    } catch (error) {
      if (mode === "torn" && !wasStopped) await writer.write(slice.subarray(0, slice.length >> 1));
      throw error;
    }
  };

  return {
    async put(key, bytes) {
      if (mode === "torn") {
        counter.requireAlive();
        const writer = await inner.create();
        await stepOrTear(writer, bytes);
        await writer.abort();
      } else {
        counter.step();
      }
      return inner.put(key, bytes);
    },

    async create() {
      counter.step();
      const writer = await inner.create();
      return {
        async write(slice) {
          await stepOrTear(writer, slice);
          await writer.write(slice);
        },
        async commit(key) {
          counter.step();
          return writer.commit(key);
        },
        async abort() {
          if (!counter.isStopped) await writer.abort();
        },
      };
    },

    async get(key) {
      read(key);
      return inner.get(key);
    },

    async getRange(key, offset, length) {
      read(key);
      return inner.getRange(key, offset, length);
    },

    async size(key) {
      counter.requireAlive();
      return inner.size(key);
    },

    async *list(prefix) {
      counter.requireAlive();
      yield* inner.list(prefix);
    },

    async remove(key) {
      counter.step();
      await inner.remove(key);
    },

    async sweep(before) {
      counter.step();
      return inner.sweep(before);
    },

    close: () => inner.close(),
  };
}
