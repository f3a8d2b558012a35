// The one backup worker of this tab, started when it is first needed. It outlives the page that asked for it: a backup goes on while
// somebody looks at other pages.

import { AppError } from "../../core/errors.ts";
import { Peer } from "../engine/rpc.ts";
import type { BackupApi } from "./backup-api.ts";

let started: Peer<BackupApi> | undefined;

export function backupWorker(): Peer<BackupApi> {
  if (started) return started;
  const worker = new Worker(new URL("./backup.worker.ts", import.meta.url), { type: "module" });
  const peer = new Peer<BackupApi>(worker);
  worker.addEventListener("error", ({ message }) => {
    peer.close(new AppError("internal", { context: { detail: `the backup worker could not go on: ${message}` } }));
    started = undefined;
  });
  started = peer;
  return peer;
}
