// The check of one snapshot record: its name, its signature, the log it saw, the blocks it rests on, and its row in the index.

import { equalBytes, fromHex, toHex } from "../core/bytes.ts";
import type { SnapshotId } from "../core/ids.ts";
import { verifySignature } from "../crypto/signature.ts";
import type { LogState } from "../wire/v4/log-state.ts";
import { decodeRefs } from "../wire/v4/refs.ts";
import { decodeSnapshotRecord, snapshotStatement } from "../wire/v4/snapshot-record.ts";
import { unsoundAmong } from "./block-index.ts";
import type { Report } from "./check.ts";
import type { VaultContext } from "./context.ts";
import { snapshotKey } from "./object-keys.ts";

export async function checkSnapshot(
  vault: VaultContext,
  state: LogState,
  id: SnapshotId,
  report: Report,
): Promise<void> {
  const key = snapshotKey(id);
  const bytes = await vault.store.get(key);
  if (bytes === undefined) return report(key, "record_corrupt", "It is missing.");
  const { id: named, sig, ...body } = await decodeSnapshotRecord(bytes);
  if (named !== id) return report(key, "record_corrupt", "It is another record than its name says.");
  if (body.vault !== vault.vaultId) report(key, "vault_mismatch", "It belongs to another vault.");
  const publicKey = state.devices.get(body.device)?.publicKey;
  if (publicKey === undefined || !(await verifySignature(publicKey, await snapshotStatement(body), sig))) {
    report(key, "signature_bad", "Its signature does not fit.");
  }
  const seen = vault.database.get<{ id: Uint8Array }>("SELECT id FROM log WHERE seq = ?", body.headSeq);
  if (seen === undefined || toHex(seen.id) !== body.head) {
    report(key, "rollback", "Its device had seen log entries that are not here.");
  }

  const missing = unsoundAmong(vault.database, decodeRefs(body.refs));
  if (missing.length > 0) {
    const some = missing.slice(0, 5).join(", ");
    report(key, "block_corrupt", `It rests on ${missing.length} blocks that are damaged or missing: ${some}.`);
  }
  const row = vault.database.get<{ refs: Uint8Array | null; deviceId: Uint8Array; plan: Uint8Array; tags: Uint8Array }>(
    "SELECT refs, deviceId, plan, tags FROM snapshots WHERE snapshotId = ?",
    fromHex(id),
  );
  const fits =
    row?.refs &&
    equalBytes(row.refs, body.refs) &&
    toHex(row.deviceId) === body.device &&
    toHex(row.plan) === body.plan &&
    toHex(row.tags) === body.tags.join("");
  if (!fits) report("index", "index_corrupt", `Snapshot ${id} differs from its record.`);
}
