// Retention as the vault's own act: what the policies do not keep goes to the trash, each removal an entry without a signature
// (docs/format.md, The vault log). A preview and the deed are one plan; nothing here purges, and a pinned snapshot stays.

import { AppError, throwIfAborted } from "../core/errors.ts";
import type { NameToken, SnapshotId } from "../core/ids.ts";
import { isPinned } from "../wire/v4/log-state.ts";
import type { SnapshotRow } from "../wire/v4/vault-port.ts";
import type { VaultContext } from "./context.ts";
import { appendStatement, currentState, ownStatement } from "./log.ts";
import { isEmptyPolicy, planRetention, type RetentionPolicy, type RetentionVerdict } from "./retention.ts";
import { liveSnapshots } from "./snapshot-rows.ts";

export type RetentionRules = {
  /** For plans without a policy of their own; without it (or an empty one) everything of theirs is kept. */
  readonly byDefault: RetentionPolicy | undefined;
  readonly byPlan: ReadonlyMap<NameToken, RetentionPolicy>;
  /** IANA name: where days begin. */
  readonly timeZone: string;
};

export type RetentionOptions = {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
};

/** A verdict for each live snapshot that a policy applies to, newest first. */
export function previewRetention(vault: VaultContext, rules: RetentionRules): RetentionVerdict<SnapshotRow>[] {
  const now = vault.clock.now();
  const groups = Map.groupBy(liveSnapshots(vault.database), ({ plan }) => rules.byPlan.get(plan) ?? rules.byDefault);
  return [...groups].flatMap(([policy, snapshots]) =>
    policy === undefined || isEmptyPolicy(policy) ? [] : planRetention(snapshots, policy, now, rules.timeZone),
  );
}

/** Ids that went to the trash. Planned anew whenever somebody else has changed the log in between. */
export async function applyRetention(
  vault: VaultContext,
  rules: RetentionRules,
  { signal, onProgress }: RetentionOptions = {},
): Promise<SnapshotId[]> {
  const removed: SnapshotId[] = [];
  for (;;) {
    let { seq } = currentState(vault);
    const due = previewRetention(vault, rules).filter(({ reasons }) => reasons.length === 0);
    let isStale = false;
    for (const { snapshot } of due) {
      throwIfAborted(signal);
      const at = await remove(vault, snapshot.id, seq);
      isStale = at === undefined;
      if (at === undefined) break;
      seq = at;
      removed.push(snapshot.id);
      onProgress?.({ done: removed.length, total: due.length });
    }
    if (!isStale) return removed;
  }
}

/** The number of its entry; undefined when the log has moved past `seq`, so that the plan may no longer be right. */
async function remove(vault: VaultContext, id: SnapshotId, seq: number): Promise<number | undefined> {
  const statement = ownStatement({ type: "remove", body: { snapshot: id } });
  const moved = new AppError("vault_busy", { context: { holder: "its log has moved" } });
  try {
    const { head } = await appendStatement(vault, statement, (state) => {
      const snapshot = state.snapshots.get(id);
      if (state.seq !== seq || snapshot?.state !== "live" || isPinned(snapshot, vault.clock.now())) throw moved;
    });
    return head.seq;
  } catch (error) {
    if (error === moved) return undefined;
    throw error;
  }
}
