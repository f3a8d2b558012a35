// The check of the index as a whole: what the log says, and rows that no object explains.

import { toHex } from "../core/bytes.ts";
import type { LogState } from "../wire/v4/log-state.ts";
import type { Report } from "./check.ts";
import type { Database } from "./database.ts";
import { readLogState } from "./log-index.ts";
import { BLOCK_DROPPED, STATE_IS } from "./schema.ts";

/** The index's devices, keyslots and snapshots are those of the replayed log. */
export function checkIndexedLog(database: Database, state: LogState, report: Report): void {
  const indexed = readLogState(database);
  if (indexed.seq !== state.seq || indexed.head !== state.head) {
    report("index", "index_corrupt", `Its log ends at entry ${indexed.seq}, the store's at ${state.seq}.`);
    return;
  }
  for (const part of ["devices", "keyslots", "snapshots"] as const) {
    if (canonical(indexed[part]) !== canonical(state[part]))
      report("index", "index_corrupt", `Its ${part} differ from the log.`);
  }
  if (indexed.record !== state.record) report("index", "index_corrupt", "It knows another vault record than the log.");
}

export function checkIndexTotals(database: Database, report: Report): void {
  const findings: readonly (readonly [string, string])[] = [
    ["chunk rows without a block", "SELECT count(*) FROM chunks WHERE blockNo NOT IN (SELECT blockNo FROM blocks)"],
    ["blocks without a pack", "SELECT count(*) FROM blocks WHERE pack NOT IN (SELECT pack FROM packs)"],
    ["blocks without a session", "SELECT count(*) FROM blocks WHERE session NOT IN (SELECT session FROM sessions)"],
    [
      "block numbers that are still to be given",
      "SELECT count(*) FROM blocks WHERE blockNo >= (SELECT value FROM meta WHERE name = 'nextBlockNo')",
    ],
  ];
  for (const [what, sql] of findings) {
    const count = Number(Object.values(database.get(sql)!)[0]);
    if (count > 0) report("index", "index_corrupt", `It has ${count} ${what}.`);
  }
  for (const row of database.all("PRAGMA integrity_check(5)")) {
    const text = String(Object.values(row)[0]);
    if (text !== "ok") report("index", "index_corrupt", text);
  }
}

/** Only told while nobody is at work: packs come and go otherwise. */
export function checkChunkCount(database: Database, expected: number, report: Report): void {
  if (database.get("SELECT 1 FROM leases UNION ALL SELECT 1 FROM locks") !== undefined) return;
  // A collection that died may have left rows of what it dropped: nobody sees them, and the next one takes them away.
  if (database.get(`SELECT 1 FROM blocks WHERE ${STATE_IS}`, BLOCK_DROPPED) !== undefined) return;
  const count = Number(database.get("SELECT count(*) AS count FROM chunks")!.count);
  if (count !== expected)
    report("index", "index_corrupt", `It has ${count} chunk rows, the packs ask for ${expected}.`);
}

/** Changes whenever anybody writes to the index, others or we. */
export function indexStamp(database: Database): string {
  return `${database.othersVersion()} ${Object.values(database.get("SELECT total_changes()")!)[0]}`;
}

function canonical(map: ReadonlyMap<string, object>): string {
  const rows = [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const plain = rows.map(([, row]) =>
    Object.entries(row)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${value instanceof Uint8Array ? toHex(value) : JSON.stringify(value)}`)
      .sort(),
  );
  return JSON.stringify(plain);
}
