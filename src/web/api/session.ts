// Who is signed in, and what they may do. The server decides each time anew; what is hidden here is only what it would refuse.

import { type QueryClient, queryOptions, type UseQueryResult, useQuery } from "@tanstack/react-query";
import type { z } from "zod";
import { type AppError, isAppError } from "../../core/errors.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { call, forgetAnswers } from "./call.ts";
import { keyOf } from "./use-api.ts";

export type Me = z.output<typeof PEOPLE_ROUTES.me.answer.schema>;
export type Role = "viewer" | "operator" | "owner";

const ORDER: readonly Role[] = ["viewer", "operator", "owner"];
const ME_KEY = keyOf(PEOPLE_ROUTES.me);
const leaving = new Set<() => void>();

/** null: nobody is signed in. */
export const ME_QUERY = queryOptions<Me | null, AppError>({
  queryKey: ME_KEY,
  queryFn: ({ signal }) => fetchMe(signal),
  staleTime: 60_000,
});

export function useMe(): UseQueryResult<Me | null, AppError> {
  return useQuery(ME_QUERY);
}

/** Of whoever is signed in; to be used below the shell only. */
export function useRights() {
  const { data } = useMe();
  const me = data ?? undefined;
  const roleIn = (vault?: string): Role | undefined => {
    const granted = vault === undefined ? undefined : me?.grants.find((grant) => grant.vault === vault)?.role;
    const rank = Math.max(me?.role ? ORDER.indexOf(me.role) : -1, granted ? ORDER.indexOf(granted) : -1);
    return ORDER[rank];
  };
  const may = (least: Role, vault?: string): boolean => {
    const role = roleIn(vault);
    return role !== undefined && ORDER.indexOf(role) >= ORDER.indexOf(least);
  };
  /** In at least one vault. */
  const maySomewhere = (least: Role): boolean =>
    may(least) || (me?.grants.some(({ role }) => ORDER.indexOf(role) >= ORDER.indexOf(least)) ?? false);
  return { me, roleIn, may, maySomewhere };
}

/** Asks again who is signed in: after signing in, and when the server says that nobody is. */
export async function lookAgain(client: QueryClient): Promise<void> {
  await client.invalidateQueries({ queryKey: ME_KEY });
}

/** What must not outlive a sign-in: unlocked keys, for one. Answers how to take it back. */
export function onLeaving(forget: () => void): () => void {
  leaving.add(forget);
  return () => leaving.delete(forget);
}

/** Whoever was signed in is gone: nothing that they saw stays in the tab. */
export function forgetEverything(client: QueryClient): void {
  for (const forget of leaving) forget();
  forgetAnswers();
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== ME_KEY[0] });
  client.setQueryData(ME_KEY, null);
}

async function fetchMe(signal: AbortSignal): Promise<Me | null> {
  try {
    return await call(PEOPLE_ROUTES.me, { signal });
  } catch (error) {
    if (isAppError(error, "login_failed") || isAppError(error, "token_expired")) return null;
    throw error;
  }
}
