// The thread of checkpoints.ts. It holds the files open only while it works: closing them last would remove a log that may be another's by then.

import { DatabaseSync } from "node:sqlite";
import { parentPort } from "node:worker_threads";
import type { CheckpointRequest } from "./checkpoints.ts";

parentPort!.on("message", ({ path, isDone }: CheckpointRequest) => {
  try {
    const database = new DatabaseSync(path, { timeout: 0, defensive: true });
    try {
      database.exec("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(PASSIVE)");
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
