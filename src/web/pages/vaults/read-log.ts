// Reads and verifies a vault's log in the tab: chain, signatures, what it adds up to, and that it goes on from what this browser saw.

import { AppError } from "../../../core/errors.ts";
import { DEVICE_ROUTES } from "../../../wire/v4/api/device-routes.ts";
import type { LogEntry } from "../../../wire/v4/log-entry.ts";
import { decodeLogEntry } from "../../../wire/v4/log-entry.ts";
import { call } from "../../api/call.ts";

export type Verified = { readonly seq: number; readonly id: string; readonly problems: readonly string[] };

/** Entries `after` that number, in order. */
export async function readEntries(
  vault: string,
  after: number,
  limit: number,
  signal?: AbortSignal,
): Promise<LogEntry[]> {
  const { entries } = await call(DEVICE_ROUTES.log, { params: { vault }, query: { after, limit }, signal });
  return Promise.all(entries.map((bytes) => decodeLogEntry(bytes)));
}

/** Throws what reaching the vault throws; that the log went back is one of the problems. */
export async function verifyLog(vault: string): Promise<Verified> {
  const [{ openRemoteVault }, { ApiClient }, { nobody }, { Retrier }, { systemClock, systemRandom }] =
    await Promise.all([
      import("../../../engine/remote/remote-vault.ts"),
      import("../../../engine/remote/api-client.ts"),
      import("../../../engine/remote/credentials.ts"),
      import("../../../engine/remote/retrier.ts"),
      import("../../../core/clock.ts"),
    ]);
  const [{ checkLog }, { checkHead }, { browserHeads }, { fetchTransport }] = await Promise.all([
    import("../../../engine/reader/check-log.ts"),
    import("../../../engine/heads.ts"),
    import("../../engine/head-memory.ts"),
    import("../../engine/fetch-transport.ts"),
  ]);
  const transport = fetchTransport({ origin: location.origin, credentials: "same-origin" });
  const retrier = new Retrier({ clock: systemClock, random: systemRandom });
  const client = new ApiClient({ transport, credentials: nobody, retrier });
  const opened = await openRemoteVault({ client, name: vault, vaultId: undefined });
  const problems: string[] = [];
  try {
    await checkHead({ vault: opened, home: browserHeads });
  } catch (error) {
    if (!(error instanceof AppError) || error.retry) throw error;
    problems.push(error.message);
  }
  for (const { object, detail } of await checkLog(opened)) problems.push(`${object}: ${detail}`);
  const { seq, id } = await opened.head();
  return { seq, id, problems };
}
