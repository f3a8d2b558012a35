// Names of a vault's objects in its store (docs/format.md, Objects of a vault), both ways.

import { AppError } from "../core/errors.ts";
import type { KeyslotId, PackId, SnapshotId } from "../core/ids.ts";

export const VAULT_KEY = "vault";

export type ObjectName =
  | { readonly kind: "vault" }
  | { readonly kind: "keyslot"; readonly id: KeyslotId }
  | { readonly kind: "log"; readonly seq: number }
  | { readonly kind: "snapshot"; readonly id: SnapshotId }
  | { readonly kind: "pack"; readonly id: PackId };

export function keyslotKey(id: KeyslotId): string {
  return `keys/${id}.age`;
}

export function logKey(seq: number): string {
  return `log/${String(seq).padStart(10, "0")}`;
}

export function snapshotKey(id: SnapshotId): string {
  return `snapshots/${requireHexId(id)}`;
}

export function packKey(id: PackId): string {
  return `packs/${id.slice(0, 2)}/${id}`;
}

/** What a key names; undefined when no object of a vault is called so. */
export function parseKey(key: string): ObjectName | undefined {
  if (key === VAULT_KEY) return { kind: "vault" };
  const keyslot = /^keys\/([0-9a-f]{32})\.age$/.exec(key);
  if (keyslot) return { kind: "keyslot", id: keyslot[1] as KeyslotId };
  const entry = /^log\/([0-9]{10})$/.exec(key);
  if (entry && Number(entry[1]) > 0) return { kind: "log", seq: Number(entry[1]) };
  const snapshot = /^snapshots\/([0-9a-f]{64})$/.exec(key);
  if (snapshot) return { kind: "snapshot", id: snapshot[1] as SnapshotId };
  const pack = /^packs\/([0-9a-f]{2})\/(\1[0-9a-f]{62})$/.exec(key);
  if (pack) return { kind: "pack", id: pack[2] as PackId };
  return undefined;
}

/** Ids come from callers: one that is not 64 hex digits names nothing. */
function requireHexId(id: SnapshotId): string {
  if (/^[0-9a-f]{64}$/.test(id)) return id;
  throw new AppError("not_found", { context: { what: "The snapshot" } });
}
