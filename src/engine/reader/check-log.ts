// What a vault says of itself against its log, for vaults that are in other hands: the whole log is replayed, every statement's signature
// verified, and the lists of snapshots, devices and keyslots must be what the log adds up to. So whatever is left out of a list,
// made up or changed there is found. Rules of the log: docs/format.md, The vault log.

import { AppError, isAppError } from "../../core/errors.ts";
import type { DeviceId, SnapshotId } from "../../core/ids.ts";
import { verifySignature } from "../../crypto/signature.ts";
import { decodeLogEntry, type LogEntry, logStatement } from "../../wire/v4/log-entry.ts";
import { applyLogEntry, emptyLogState, type LogState } from "../../wire/v4/log-state.ts";
import type { DeviceRow, SnapshotRow, VaultPort } from "../../wire/v4/vault-port.ts";
import type { VerifyProblem } from "./verify.ts";

const PAGE_ENTRIES = 256;

type Replayed = { readonly state: LogState; readonly committedBy: ReadonlyMap<SnapshotId, DeviceId> };

/** What does not agree, nothing when all does. What a log that cannot be replayed would say is not known: then that is the problem. */
export async function checkLog(vault: VaultPort): Promise<VerifyProblem[]> {
  let replayed: Replayed;
  try {
    replayed = await replay(vault);
  } catch (error) {
    if (!isAppError(error) || error.retry) throw error;
    return [problem("log", error.code, error.message)];
  }
  const { state } = replayed;
  const head = await vault.head();
  // Entries that came meanwhile are another run's to look at.
  if (head.seq === state.seq && head.id !== state.head) {
    return [problem("log", "rollback", "its last entry is not the one that it names as its head")];
  }
  if (head.seq !== state.seq) return [];
  return [...(await snapshotProblems(vault, replayed)), ...(await otherProblems(vault, state))];
}

async function replay(vault: VaultPort): Promise<Replayed> {
  const state = emptyLogState();
  const committedBy = new Map<SnapshotId, DeviceId>();
  for (;;) {
    const page = await vault.logAfter(state.seq, PAGE_ENTRIES);
    if (page.length === 0) return { state, committedBy };
    for (const bytes of page) {
      const entry = await decodeLogEntry(bytes);
      await requireSigned(vault, state, entry);
      applyLogEntry(state, entry);
      if (entry.type === "commit" && entry.by) committedBy.set(entry.body.snapshot, entry.by);
    }
  }
}

/** A commit is vouched for by its signed record; what nobody signed is the vault's own act. */
async function requireSigned({ vaultId }: VaultPort, state: LogState, entry: LogEntry): Promise<void> {
  if (entry.by === undefined || entry.type === "commit") return;
  const introducesItself = entry.type === "device-add" && entry.body.device === entry.by;
  const publicKey = introducesItself ? entry.body.publicKey : state.devices.get(entry.by)?.publicKey;
  const statement = logStatement(vaultId, entry.type, entry.body);
  if (publicKey && entry.sig && (await verifySignature(publicKey, statement, entry.sig))) return;
  throw new AppError("signature_bad", { context: { what: `log entry ${entry.seq}` } });
}

async function snapshotProblems(vault: VaultPort, { state, committedBy }: Replayed): Promise<VerifyProblem[]> {
  const rows = new Map((await vault.snapshots()).map((row) => [row.id, row]));
  const problems: VerifyProblem[] = [];
  for (const logged of state.snapshots.values()) {
    const row = rows.get(logged.id);
    rows.delete(logged.id);
    const what = `snapshot ${logged.id.slice(0, 8)}`;
    if (logged.state === "purged") {
      if (row) problems.push(problem(what, "record_corrupt", "the log says that it is gone for good"));
    } else if (!row) problems.push(problem(what, "record_corrupt", "the log has it, the list of snapshots has not"));
    else if (!fits(row, logged) || row.device !== committedBy.get(logged.id)) {
      problems.push(problem(what, "record_corrupt", "the log says something else about it than the list of snapshots"));
    }
  }
  for (const id of rows.keys()) {
    problems.push(problem(`snapshot ${id.slice(0, 8)}`, "record_corrupt", "the log does not know it"));
  }
  return problems;
}

function fits(
  row: SnapshotRow,
  logged: LogState["snapshots"] extends Map<unknown, infer Value> ? Value : never,
): boolean {
  return (["state", "seq", "receivedAt", "trashedAt", "pinnedUntil"] as const).every(
    (name) => row[name] === logged[name],
  );
}

async function otherProblems(vault: VaultPort, { devices, keyslots }: LogState): Promise<VerifyProblem[]> {
  const deviceLine = ({ device, name, revoked, publicKey, group }: DeviceRow) =>
    JSON.stringify([device, name, revoked, publicKey.toHex(), group]);
  const shownDevices = (await vault.devices()).map(deviceLine);
  const loggedDevices = [...devices.values()].map(deviceLine);
  const shownKeyslots = (await vault.keyslots()).map(({ id, kind, label }) => [id, kind, label].join());
  const loggedKeyslots = [...keyslots.values()].map(({ id, kind, label }) => [id, kind, label].join());
  const detail = "it is not what the log adds up to";
  return [
    ...(isSame(shownDevices, loggedDevices) ? [] : [problem("list of devices", "record_corrupt", detail)]),
    ...(isSame(shownKeyslots, loggedKeyslots) ? [] : [problem("list of keyslots", "record_corrupt", detail)]),
  ];
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join("\n") === b.toSorted().join("\n");
}

function problem(object: string, code: VerifyProblem["code"], detail: string): VerifyProblem {
  return { object, code, detail };
}
