// The device that this browser is in a vault, and what is done in its name.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { DEVICE_ROUTES } from "../../../wire/v4/api/device-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import type { LogBodies, LogType } from "../../../wire/v4/log-entry.ts";
import { refresh } from "../../api/use-api.ts";
import type { BrowserDevice } from "../../backup/device-store.ts";
import { deviceHere, signAndSend } from "./signing.ts";

const KEY = "device of this browser";

/** null: none. */
export function useDeviceHere(vault: string) {
  return useQuery<BrowserDevice | null>({
    queryKey: [KEY, vault],
    queryFn: () => deviceHere(vault),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useLookForDevice(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: [KEY] });
}

type Change = { [Type in LogType]: { readonly type: Type; readonly body: LogBodies[Type] } }[LogType];

/** `onDone` hears which change it was. */
export function useSigned(device: BrowserDevice | null | undefined, onDone: (type: LogType) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ type, body }: Change) => {
      if (device) await signAndSend(device, type, body as never);
    },
    onSuccess: async (_, { type }) => {
      await refresh(client, DEVICE_ROUTES.snapshots, DEVICE_ROUTES.keyslots, DEVICE_ROUTES.log, VAULT_ROUTES.vault);
      onDone(type);
    },
  });
}
