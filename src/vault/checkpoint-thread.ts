// The thread of checkpoints.ts. It holds the files open only while it works: closing them last would remove a log that may be another's by then.

import { DatabaseSync } from "node:sqlite";
import { parentPort } from "node:worker_threads";
import type { CheckpointRequest } from "./checkpoints.ts";

/** Each writes what was committed during the one before, so they get shorter: the log begins anew once one leaves nothing. */
const PASSES = 10;

parentPort!.on("message", ({ path, isDone }: CheckpointRequest) => {
  try {
    const database = new DatabaseSync(path, { timeout: 0, defensive: true });
    try {
      database.exec("PRAGMA synchronous = FULL");
      const write = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
      for (let pass = 0; pass < PASSES; pass++) {
        const { busy, log, checkpointed } = write.get()!;
        if (busy !== 0 || log === checkpointed) break;
      }
    } finally {
      database.close();
    }
  } catch {
    // The log stays as it is, and the next look at it asks again.
  }
  Atomics.store(isDone, 0, 1);
  Atomics.notify(isDone, 0);
  parentPort!.postMessage("done");
});
