// Retention of a single plan within a vault's: what stands, what it would be, how it is set.

import type { NameToken } from "../../../core/ids.ts";
import { JOB_ROUTES, type Policy, type RetentionSettings } from "../../../wire/v4/api/job-routes.ts";
import { call } from "../../api/call.ts";
import { guarded } from "../../api/use-api.ts";

/** What somebody wants: a policy of its own, null for one that keeps everything; "vault": none, so the vault's rules count. */
export type RetentionWish = Policy | null | "vault";

/** Asks for the second factor where the server wants one: what keeps less. Rules that were set meanwhile for other plans stay. */
export async function saveRetention(vault: string, token: string, wish: RetentionWish): Promise<void> {
  const { retention } = await call(JOB_ROUTES.vaultSettings, { params: { vault } });
  const changed = withWish(retention, token as NameToken, wish);
  await guarded(() => call(JOB_ROUTES.changeVault, { params: { vault }, body: { retention: changed } }));
}

export function standing({ byPlan }: RetentionSettings, token: NameToken | undefined): RetentionWish {
  if (token === undefined || !Object.hasOwn(byPlan, token)) return "vault";
  const own = byPlan[token] ?? {};
  return Object.keys(own).length === 0 ? null : own;
}

export function withWish(
  retention: RetentionSettings,
  token: NameToken | undefined,
  wish: RetentionWish,
): RetentionSettings {
  if (token === undefined) return retention;
  const others = Object.entries(retention.byPlan).filter(([each]) => each !== token);
  const byPlan = Object.fromEntries(wish === "vault" ? others : [...others, [token, wish ?? {}]]);
  return { ...retention, byPlan };
}
