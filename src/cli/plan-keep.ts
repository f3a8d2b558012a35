// `plan keep`: what the server of a plan's vault keeps of its snapshots. Shown to whoever may see the vault; set by an owner, in whose name this machine has
// logged in. In a folder the plan itself decides.

import { AppError, isAppError } from "../core/errors.ts";
import type { NameToken } from "../core/ids.ts";
import { planToken } from "../crypto/tokens.ts";
import { JOB_ROUTES, type Policy, type RetentionSettings } from "../wire/v4/api/job-routes.ts";
import type { Context } from "./context.ts";
import { type KeepOptions, keepCounts } from "./keep-options.ts";
import { type OpenedVault, withVault } from "./open-vault.ts";
import { usage } from "./parse-values.ts";
import type { ServerAccess } from "./server-access.ts";
import { shownText } from "./shown-path.ts";

export type PlanKeepOptions = KeepOptions & {
  readonly keepWithinDays?: number;
  readonly all?: boolean;
  readonly asVault?: boolean;
  readonly dryRun?: boolean;
};

/** Undefined: none of its own, so the vault's rules count. Empty: everything. */
type Own = Policy | undefined;

const DAY_MS = 86_400_000;
const RULES = ["last", "hourly", "daily", "weekly", "monthly", "yearly"] as const;

/** `context` is of the vault that the plan is for. */
export async function runKeep(context: Context, options: PlanKeepOptions, name: string): Promise<undefined> {
  const { output } = context;
  const wanted = wantedBy(options);
  await withVault(context, async (opened) => {
    const server = requireServer(opened, name);
    const vault = opened.vault.vaultId;
    const token = await planToken((await opened.device()).writer.metaKey, name);
    const { retention } = await server.people.call(JOB_ROUTES.vaultSettings, { params: { vault } });
    const asked = wanted === undefined ? retention : withOwn(retention, token, wanted.own);
    const rows = await server.people.call(JOB_ROUTES.previewRetention, {
      params: { vault },
      body: { retention: asked },
    });
    const reasons = rows.items.filter(({ plan }) => plan === token).map((row) => row.reasons);
    const kept = reasons.filter((each) => each.length > 0).length;
    const isSet = wanted !== undefined && !options.dryRun;
    if (isSet) {
      const call = () => server.people.call(JOB_ROUTES.changeVault, { params: { vault }, body: { retention: asked } });
      await call().catch(async (error: unknown) => {
        if (!isAppError(error, "second_factor_needed") || !(await server.giveFactor())) throw error;
        return call();
      });
    }
    const own = Object.hasOwn(asked.byPlan, token) ? (asked.byPlan[token] ?? {}) : undefined;
    const counts = { kept, removed: reasons.length - kept };
    output.json({
      type: "result",
      command: "plan keep",
      name,
      vault,
      isSet,
      own: own === undefined ? null : plain(own),
      byVault: plain(asked.byDefault ?? {}),
      ...counts,
    });
    const words = own === undefined ? `as the vault does: ${policyWords(asked.byDefault ?? {})}` : policyWords(own);
    const verb = wanted !== undefined && !isSet ? "would keep" : "keeps";
    output.print(`The server ${verb} of ${shownText(name)}: ${words}.`);
    if (reasons.length > 0)
      output.say(`${counts.kept} of its snapshots stay, ${counts.removed} go to the trash tonight.`);
  });
}

/** Undefined when nothing is to be changed. Throws `usage` for what does not go together. */
function wantedBy(options: PlanKeepOptions): { readonly own: Own } | undefined {
  const { keepWithinDays, all = false, asVault = false } = options;
  const counts = Object.entries(keepCounts(options)).filter(([, count]) => count !== undefined);
  const rules: Policy = {
    ...Object.fromEntries(counts),
    ...(keepWithinDays === undefined ? {} : { withinMs: keepWithinDays * DAY_MS }),
  };
  const hasRules = Object.keys(rules).length > 0;
  if ([hasRules, all, asVault].filter(Boolean).length > 1) {
    throw usage("Give rules, --all or --as-vault: one of the three.");
  }
  // Rules that are all 0 keep everything, which nobody means who types them.
  if (hasRules && Object.values(rules).every((count) => count === 0))
    throw usage("A rule of 0 keeps nothing: --all keeps everything.");
  if (asVault) return { own: undefined };
  return hasRules || all ? { own: rules } : undefined;
}

function withOwn(retention: RetentionSettings, token: NameToken, own: Own): RetentionSettings {
  const others = Object.entries(retention.byPlan).filter(([each]) => each !== token);
  return { ...retention, byPlan: Object.fromEntries(own === undefined ? others : [...others, [token, own]]) };
}

function requireServer({ server }: OpenedVault, name: string): ServerAccess {
  if (server) return server;
  const detail = `In a folder the plan itself decides: cyberbackup plan edit ${shownText(name)} --keep-daily 14`;
  throw new AppError("unsupported", { context: { what: "This", detail } });
}

/** As `keep` of a plan has it; tags are tokens here, and no command sets them. */
function plain({ withinMs = 0, tags: _, ...counts }: Policy): Record<string, number> {
  const given = Object.entries(counts).filter(([, count]) => count !== undefined && count > 0) as [string, number][];
  return { ...Object.fromEntries(given), ...(withinMs > 0 && { withinDays: Math.round(withinMs / DAY_MS) }) };
}

function policyWords(policy: Policy): string {
  const { withinDays } = plain(policy);
  const words = RULES.flatMap((rule) => {
    const count = policy[rule] ?? 0;
    return count === 0 ? [] : [rule === "last" ? `the last ${count}` : `${count} ${rule}`];
  });
  if (withinDays !== undefined) words.push(`all of the last ${withinDays} days`);
  return words.length === 0 ? "everything" : words.join(", ");
}
