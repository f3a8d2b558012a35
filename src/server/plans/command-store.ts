// What people ask of devices: kept until the device acknowledges it or its time is over.

import { AppError } from "../../core/errors.ts";
import type { DeviceId, SessionId, VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import { type Command, type CommandKind, type CommandState, PLAN_LIMITS } from "../../wire/v4/api/plan-routes.ts";

const HOUR_MS = 3_600_000;
const EXPIRES_MS: Readonly<Record<CommandKind, number>> = {
  backup: 24 * HOUR_MS,
  cancel: HOUR_MS,
  pause: HOUR_MS,
  resume: HOUR_MS,
};
/** Commands that are over stay in the list of their device for so long. */
const KEPT_MS = 30 * 24 * HOUR_MS;
const OPEN: readonly CommandState[] = ["waiting", "delivered", "taken"];
const OPEN_SQL = `state IN (${OPEN.map((state) => `'${state}'`).join(", ")})`;

export type Asked = Pick<Command, "kind" | "plan" | "run" | "untilMs" | "by">;
export type OwnedCommand = { readonly vault: VaultId; readonly device: DeviceId; readonly command: Command };

/** The same asked again while it waits is the same command. Throws `limit`. */
export function addCommand(database: Database, vault: VaultId, device: DeviceId, asked: Asked, now: number): Command {
  return database.transaction(() => {
    const open = openCommands(database, vault, device, now);
    const same = open.find(
      ({ kind, plan, run, untilMs, state }) =>
        state !== "taken" &&
        kind === asked.kind &&
        plan === asked.plan &&
        run === asked.run &&
        untilMs === asked.untilMs,
    );
    if (same !== undefined) return same;
    if (open.length >= PLAN_LIMITS.openCommandsPerDevice) {
      const limit = String(PLAN_LIMITS.openCommandsPerDevice);
      throw new AppError("limit", { context: { what: "What a device is asked at a time", limit } });
    }
    const { kind, plan, run, untilMs, by } = asked;
    const { lastInsertRowid } = database.run(
      `INSERT INTO commands (vault, device, kind, plan, run, untilMs, state, createdAt, expiresAt, by)
       VALUES (?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?)`,
      vault,
      device,
      kind,
      plan,
      run,
      untilMs,
      now,
      now + EXPIRES_MS[kind],
      by,
    );
    return getCommand(database, String(lastInsertRowid))!.command;
  });
}

/** Oldest first: what the device has still to do, `taken` ones included. */
export function openCommands(database: Database, vault: VaultId, device: DeviceId, now: number): Command[] {
  const sql = `SELECT * FROM commands WHERE vault = ? AND device = ? AND ${OPEN_SQL} AND expiresAt > ? ORDER BY command`;
  return database.all<CommandSql>(sql, vault, device, now).map((row) => toOwned(row).command);
}

/** Newest first. */
export function listCommands(database: Database, vault: VaultId, device: DeviceId): Command[] {
  const sql = "SELECT * FROM commands WHERE vault = ? AND device = ? ORDER BY command DESC LIMIT ?";
  return database.all<CommandSql>(sql, vault, device, PLAN_LIMITS.commandsListed).map((row) => toOwned(row).command);
}

export function getCommand(database: Database, id: string): OwnedCommand | undefined {
  const row = /^\d{1,15}$/.test(id) && database.get<CommandSql>("SELECT * FROM commands WHERE command = ?", Number(id));
  return row ? toOwned(row) : undefined;
}

/** The command as it is then; undefined when it is over already. */
export function setCommandState(
  database: Database,
  id: string,
  state: CommandState,
  error: string | null = null,
): OwnedCommand | undefined {
  const sql = `UPDATE commands SET state = ?, error = ? WHERE command = ? AND ${OPEN_SQL} AND state <> ?`;
  const { changes } = database.run(sql, state, error, Number(id), state);
  return changes === 0 ? undefined : getCommand(database, id);
}

/** Ends those whose time is over, and forgets old ones; answers those that ended now. */
export function expireCommands(database: Database, now: number): OwnedCommand[] {
  database.run("DELETE FROM commands WHERE createdAt < ?", now - KEPT_MS);
  const due = database.all<CommandSql>(`SELECT * FROM commands WHERE ${OPEN_SQL} AND expiresAt <= ?`, now);
  return due.flatMap(({ command }) => setCommandState(database, String(command), "expired") ?? []);
}

type CommandSql = {
  command: number;
  vault: VaultId;
  device: DeviceId;
  kind: CommandKind;
  plan: string | null;
  run: SessionId | null;
  untilMs: number | null;
  state: CommandState;
  createdAt: number;
  expiresAt: number;
  by: string;
  error: string | null;
};

function toOwned({ command, vault, device, ...row }: CommandSql): OwnedCommand {
  return { vault, device, command: { id: String(command), ...row } };
}
