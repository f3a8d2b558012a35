// Names of plans, which the server knows only as tokens: known while the vault is unlocked in this tab.

import { useQuery } from "@tanstack/react-query";
import { RUNS } from "../../strings/runs.ts";
import { useOpenVault } from "../../unlock/vault-store.ts";

/** The name, or a short token. */
export function usePlanName(vault: string, token: string | null): string {
  const open = useOpenVault(vault);
  const client = open?.client;
  const names = [...new Set(open?.snapshots.flatMap(({ info }) => (info === undefined ? [] : [info.plan])) ?? [])];
  const { data } = useQuery({
    queryKey: ["plan-names", vault, names],
    queryFn: () => client!.call("planTokens", { names }),
    enabled: client !== undefined && names.length > 0,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  if (token === null) return RUNS.figures.none;
  // What was read before is not shown once the vault is locked.
  const at = (client && data?.indexOf(token)) ?? -1;
  return at >= 0 ? names[at]! : token.slice(0, 8);
}
