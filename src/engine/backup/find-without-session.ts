// What a backup would find in the vault, for a dry run: it opens no session, so it asks as a reader does.

import type { DeviceId, SnapshotId } from "../../core/ids.ts";
import { decodeLogEntry } from "../../wire/v4/log-entry.ts";
import { decodeRefs } from "../../wire/v4/refs.ts";
import { decodeSnapshotRecord } from "../../wire/v4/snapshot-record.ts";
import { chunkIdAt } from "../../wire/v4/tree-types.ts";
import type { SessionGrant, VaultPort } from "../../wire/v4/vault-port.ts";
import type { FindChunks } from "./dedup.ts";

/** Log entries in one question. */
const PAGE_ENTRIES = 500;

/**
 * What a session would be granted: a base that is there now, and of its blocks none once trust has changed since it was begun. A session
 * knows which of them it may still rely on; here all are asked for, so that files are read which it would not read, and counted as it would.
 */
export async function grantWithoutSession(vault: VaultPort, base: SnapshotId | undefined): Promise<SessionGrant> {
  const baseAccepted = base !== undefined && (await vault.snapshots()).some((row) => row.id === base);
  const damagedBlocks = baseAccepted && (await hasGroups(vault)) ? await blocksInDoubt(vault, base) : [];
  return { baseAccepted, damagedBlocks, leaseMs: 0, empty: false };
}

async function hasGroups(vault: VaultPort): Promise<boolean> {
  return (await vault.devices()).some(({ group }) => group !== "");
}

async function blocksInDoubt(vault: VaultPort, base: SnapshotId): Promise<number[]> {
  const { headSeq, refs } = await decodeSnapshotRecord(await vault.snapshotRecord(base));
  return (await hasTrustChanged(vault, headSeq)) ? decodeRefs(refs) : [];
}

async function hasTrustChanged(vault: VaultPort, since: number): Promise<boolean> {
  for (let seq = since; ; ) {
    const page = await vault.logAfter(seq, PAGE_ENTRIES);
    if (page.length === 0) return false;
    for (const bytes of page) if ((await decodeLogEntry(bytes)).type === "device-trust") return true;
    seq += page.length;
  }
}

/** What a session of the device would find: of blocks that hold a chunk, a reader of its group's snapshot is told one of the group first. */
export function findWithoutSession(vault: VaultPort, device: DeviceId): FindChunks {
  let group: Promise<Group> | undefined;
  return async (chunkIds) => {
    group ??= groupOf(vault, device);
    const { members, snapshot } = await group;
    const ids = Array.from({ length: chunkIds.length / 32 }, (_, i) => chunkIdAt(chunkIds, i));
    const locations = await vault.locateChunks(ids, snapshot);
    return Float64Array.from(locations, (location) =>
      location && members.has(location.device) ? location.blockNo : 0,
    );
  };
}

type Group = { readonly members: ReadonlySet<DeviceId>; readonly snapshot: SnapshotId | undefined };

/** The devices that this one relies on, and the last snapshot of any of them; none where there are no others. */
async function groupOf(vault: VaultPort, device: DeviceId): Promise<Group> {
  const devices = await vault.devices();
  const own = devices.find((row) => row.device === device)?.group ?? null;
  const group = devices.filter((row) => row.device === device || (own !== null && row.group === own));
  const members = new Set(group.map((row) => row.device));
  const hasOthers = group.length < devices.length;
  const snapshot = hasOthers ? (await vault.snapshots()).findLast((row) => members.has(row.device))?.id : undefined;
  return { members, snapshot };
}
