// What people call the devices and vaults of this server.

import { OVERVIEW_ROUTES } from "../../../wire/v4/api/overview-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useApi } from "../../api/use-api.ts";

export type Names = {
  device(vault: string, device: string): string;
  vault(vault: string): string;
};

/** Ids, short, until names are known. */
export function useNames(): Names {
  const devices = useApi(OVERVIEW_ROUTES.deviceStates, { query: {} });
  const vaults = useApi(VAULT_ROUTES.vaults);
  return {
    device: (vault, device) =>
      devices.data?.items.find((item) => item.vault === vault && item.device === device)?.name ?? device.slice(0, 8),
    vault: (vault) => vaults.data?.vaults.find(({ id }) => id === vault)?.name ?? vault.slice(0, 8),
  };
}
