// Names of plans, which the server knows only as tokens: known while the vault is unlocked in this tab.

import { useQuery } from "@tanstack/react-query";
import { RUNS } from "../../strings/runs.ts";
import { useVault } from "../files/vault-store.ts";

/** The name, or a short token. */
export function usePlanName(vault: string, token: string | null): string {
  const { open } = useVault();
  const client = open?.id === vault ? open.client : undefined;
  const names = [...new Set(open?.snapshots.flatMap(({ info }) => (info === undefined ? [] : [info.plan])) ?? [])];
  const { data } = useQuery({
    queryKey: ["plan-names", vault, names],
    queryFn: () => client!.call("planTokens", { names }),
    enabled: client !== undefined && names.length > 0,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  if (token === null) return RUNS.figures.none;
  const at = data?.indexOf(token) ?? -1;
  return at >= 0 ? names[at]! : token.slice(0, 8);
}
