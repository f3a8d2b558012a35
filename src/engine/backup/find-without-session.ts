// Which chunks a backup would find, for a dry run: it opens no session, so it asks as a reader does.

import type { DeviceId, SnapshotId } from "../../core/ids.ts";
import { chunkIdAt } from "../../wire/v4/tree-types.ts";
import type { VaultPort } from "../../wire/v4/vault-port.ts";
import type { FindChunks } from "./dedup.ts";

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
