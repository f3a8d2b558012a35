// What the page's parts look at: the tab's backups, and what this browser has stored about them.

import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useSyncExternalStore } from "react";
import { backups, type View } from "../../backup/controller.ts";
import type { BackupJob, BrowserDevice, PastRun } from "../../backup/device-store.ts";

/** Drawn in slices, a little after it has changed: a run that begins or ends changes most of the page, and no click shall wait for that. */
export function useBackups(): View {
  return useDeferredValue(useSyncExternalStore(backups.subscribe, backups.view));
}

export type Stored = {
  readonly devices: readonly BrowserDevice[];
  readonly jobs: readonly BackupJob[];
  readonly runs: readonly PastRun[];
};

const KEY = ["this-browser"];

export function useStored() {
  return useQuery<Stored>({
    queryKey: KEY,
    // Nothing of this comes from a server.
    networkMode: "always",
    queryFn: async () => {
      const store = await backups.store();
      const [devices, jobs, runs] = await Promise.all([store.devices(), store.jobs(), store.pastRuns()]);
      return { devices, jobs, runs };
    },
  });
}

export function useLookAgain(): () => Promise<void> {
  const client: QueryClient = useQueryClient();
  return () => client.invalidateQueries({ queryKey: KEY });
}
