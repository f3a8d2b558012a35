// What a person types for a snapshot: an id prefix, `latest`, `latest:2` (the one before the latest), `latest@PLAN`,
// `latest:2@PLAN`; and, where a folder of it may follow, `SNAP:/path`.

import { AppError } from "../../core/errors.ts";
import { type RawPath, rawFromText } from "../../core/raw-path.ts";
import { planToken } from "../../crypto/tokens.ts";
import type { SnapshotRow } from "../../wire/v4/vault-port.ts";
import type { VaultReader } from "./reader.ts";
import { deviceKeys, type OpenedSnapshot, openSnapshot, snapshotRows } from "./snapshots.ts";

export const ID_PREFIX_MIN = 4;

/** Opens the snapshot. Throws `not_found`, `ambiguous_id`, `usage`, and what `openSnapshot` throws. */
export async function resolveSnapshot(reader: VaultReader, expression: string): Promise<OpenedSnapshot> {
  const row = await resolveRow(reader, expression);
  return openSnapshot(reader, row, await deviceKeys(reader));
}

/** The row alone: needs the plan key, opens nothing. */
export async function resolveRow(reader: VaultReader, expression: string): Promise<SnapshotRow> {
  const rows = await snapshotRows(reader);
  const latest = /^latest(?::([0-9]{1,9}))?(?:@(.+))?$/s.exec(expression);
  if (!latest) return byPrefix(rows, expression);
  const back = latest[1] === undefined ? 1 : Number(latest[1]);
  if (back < 1) throw new AppError("usage", { context: { detail: "latest:1 is the latest snapshot; there is no 0." } });
  return byAge(reader, rows, back, latest[2]);
}

/** Splits `SNAP:/path`; the path is undefined when there is none. */
export function splitSnapshotPath(text: string): { readonly snapshot: string; readonly path: RawPath | undefined } {
  const at = text.indexOf(":/");
  if (at < 0) return { snapshot: text, path: undefined };
  return { snapshot: text.slice(0, at), path: rawFromText(text.slice(at + 1)) };
}

async function byAge(
  reader: VaultReader,
  rows: readonly SnapshotRow[],
  back: number,
  plan: string | undefined,
): Promise<SnapshotRow> {
  const token = plan === undefined ? undefined : await planToken(reader.secrets.writer.metaKey, plan);
  const live = rows.filter((row) => row.state === "live" && (token === undefined || row.plan === token));
  const row = live.at(-back);
  if (row) return row;
  const ofPlan = plan === undefined ? "" : ` of plan ${plan}`;
  const what =
    live.length === 0 ? `A snapshot${ofPlan}` : `Snapshot latest:${back}${ofPlan} (there are ${live.length})`;
  throw new AppError("not_found", { context: { what } });
}

function byPrefix(rows: readonly SnapshotRow[], expression: string): SnapshotRow {
  const prefix = expression.toLowerCase();
  if (!/^[0-9a-f]+$/.test(prefix) || prefix.length < ID_PREFIX_MIN) {
    const detail = `"${expression}" is not a snapshot: give at least ${ID_PREFIX_MIN} characters of its id, latest, latest:2 or latest@PLAN.`;
    throw new AppError("usage", { context: { detail } });
  }
  const fitting = rows.filter(({ id }) => id.startsWith(prefix));
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length === 0) throw new AppError("not_found", { context: { what: `Snapshot ${expression}` } });
  const ids = fitting.slice(0, 5).map(({ id }) => id.slice(0, prefix.length + 4));
  throw new AppError("ambiguous_id", {
    context: { id: expression, what: `snapshot (${ids.join(", ")}${fitting.length > 5 ? ", …" : ""})` },
  });
}
