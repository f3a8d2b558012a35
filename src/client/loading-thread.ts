// Threads that load native code. Whoever ends one while it loads ends the whole process: a native module that is told to stop there
// throws where nothing can be thrown any more, and the runtime aborts. So each says when it has loaded all, and is ended after that; and
// so does the process, which ends all of them.

import { parentPort, type Worker } from "node:worker_threads";

const LOADED = "loaded";
/** Of this process, those that have not loaded all yet. */
const loading = new Set<Promise<void>>();

/** In the thread: all that it imports is there. */
export function sayLoaded(): void {
  parentPort!.postMessage(LOADED);
}

export type FollowedThread = {
  /** Ends it, whatever it does, once it has loaded. */
  end(): Promise<void>;
};

/** To be called in the turn that starts the thread. `hear` gets its messages. */
export function followThread<Message>(worker: Worker, hear: (message: Message) => void): FollowedThread {
  const loaded = new Promise<void>((resolve) => {
    worker.on("exit", () => resolve());
    worker.on("message", (message: Message | typeof LOADED) => {
      if (message === LOADED) resolve();
      else hear(message as Message);
    });
  });
  loading.add(loaded);
  void loaded.then(() => loading.delete(loaded));
  return {
    async end() {
      await loaded;
      await worker.terminate();
    },
  };
}

/** Resolves when no thread loads native code any more, which takes a fraction of a second. */
export async function allLoaded(): Promise<void> {
  while (loading.size > 0) await Promise.all(loading);
}
