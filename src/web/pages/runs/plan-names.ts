// Names of plans, which the server knows only as tokens: known while the vault is unlocked in this tab.

import { useQuery } from "@tanstack/react-query";
import { RUNS } from "../../strings/runs.ts";
import { useOpenVault } from "../../unlock/vault-store.ts";

const NONE: ReadonlyMap<string, string> = new Map();

/** By token, of all plans that have a snapshot; none while the vault is locked. */
export function usePlanNames(vault: string): ReadonlyMap<string, string> {
  const open = useOpenVault(vault);
  const client = open?.client;
  const names = [...new Set(open?.snapshots.flatMap(({ info }) => (info === undefined ? [] : [info.plan])) ?? [])];
  const { data } = useQuery({
    queryKey: ["plan-names", vault, names],
    async queryFn() {
      const tokens = await client!.call("planTokens", { names });
      return new Map(tokens.map((token, i) => [token, names[i]!]));
    },
    enabled: client !== undefined && names.length > 0,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  // What was read before is not shown once the vault is locked.
  return (client && data) ?? NONE;
}

/** The name, or a short token. */
export function usePlanName(vault: string, token: string | null): string {
  const names = usePlanNames(vault);
  return token === null ? RUNS.figures.none : (names.get(token) ?? token.slice(0, 8));
}
