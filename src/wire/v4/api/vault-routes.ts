// The API by which people's commands make vaults, change them by signed statements, and see their devices
// (docs/protocol-v4.md, The API of people). What carries signatures and keyslots is MessagePack, because it carries bytes.

import { z } from "zod";
import { type DeviceId, ID_BYTES, type VaultId } from "../../../core/ids.ts";
import type { VaultStats } from "../admin-port.ts";
import { bin, binId, hexId, whole } from "./coding.ts";
import { API_LIMITS, signedStatement } from "./device-routes.ts";
import { routes } from "./route.ts";

const KIB = 1024;

const head = z.strictObject({ seq: whole, id: binId<string>(32) });
const keyslotFile = bin({ max: API_LIMITS.keyslotBytes });

const deviceListRow = z.strictObject({
  device: hexId<DeviceId>(ID_BYTES.device),
  /** As people call it here; the name that it gave itself where nobody has. */
  name: z.string(),
  givenName: z.string(),
  revoked: z.boolean(),
  /** Trust group: "" of all devices that were not put elsewhere, null for one that is set apart. */
  group: z.string().nullable(),
  enrolledAt: whole,
  /** Last login, and from where. */
  lastSeenAt: whole.nullable(),
  lastAddress: z.string().nullable(),
  openSessions: whole,
  snapshots: whole,
  lastSnapshotAt: whole.nullable(),
  /** Sealed bytes that its snapshots added. */
  addedBytes: whole,
});

const stats = z.strictObject({
  snapshots: whole,
  trashedSnapshots: whole,
  packs: whole,
  packBytes: whole,
  blocks: whole,
  blockBytes: whole,
  chunks: whole,
  damagedBlocks: whole,
  droppedBytes: whole,
  openSessions: whole,
  logEntries: whole,
}) satisfies z.ZodType<VaultStats>;

const vaultRow = z.strictObject({
  id: hexId<VaultId>(ID_BYTES.vault),
  name: z.string(),
  /** Code of the error that keeps it from being used at present. */
  problem: z.string().nullable(),
  /** What keeps it from taking backups now, and what to do about it; null where nothing does. */
  trouble: z.strictObject({ code: z.string(), message: z.string(), mend: z.string() }).nullable(),
});

export const VAULT_ROUTES = routes({
  vaults: {
    method: "GET",
    path: "/api/v4/vaults",
    who: ["person"],
    summary: "The vaults that the caller may view.",
    answer: { kind: "json", schema: z.strictObject({ vaults: z.array(vaultRow) }) },
  },
  vault: {
    method: "GET",
    path: "/api/v4/vaults/{vault}",
    who: ["viewer"],
    summary: "One vault, and how much is in it.",
    answer: { kind: "json", schema: z.strictObject({ ...vaultRow.shape, stats }) },
  },
  makeVault: {
    method: "POST",
    path: "/api/v4/vaults",
    who: ["owner"],
    summary: "Makes a vault from its record, its first statements and their keyslot files.",
    body: {
      kind: "msgpack",
      schema: z.strictObject({
        name: z.string().min(1).max(64),
        record: bin({ max: 4 * KIB }),
        statements: z.array(signedStatement).min(1).max(16),
        keyslotFiles: z.array(keyslotFile).min(1).max(8),
      }),
      maxBytes: 768 * KIB,
    },
    answer: {
      kind: "msgpack",
      schema: z.strictObject({ vault: binId<VaultId>(ID_BYTES.vault), name: z.string(), head }),
    },
  },
  statement: {
    method: "POST",
    path: "/api/v4/vaults/{vault}/statements",
    // keyslot-* asks for more: the handler sees to that.
    who: ["operator"],
    summary: "Appends what a device has signed to the vault's log. Keyslots are an owner's.",
    body: {
      kind: "msgpack",
      schema: z.strictObject({ statement: signedStatement, keyslotFile: keyslotFile.nullable() }),
      maxBytes: 192 * KIB,
    },
    answer: { kind: "msgpack", schema: head },
  },
  deviceList: {
    method: "GET",
    path: "/api/v4/vaults/{vault}/device-list",
    who: ["viewer"],
    summary: "The devices of the vault, with what each has done lately.",
    answer: { kind: "json", schema: z.strictObject({ devices: z.array(deviceListRow) }) },
  },
  renameDevice: {
    method: "PATCH",
    path: "/api/v4/vaults/{vault}/devices/{device}",
    who: ["operator"],
    summary: "Changes the name that is shown for a device; null goes back to the one that it gave itself.",
    body: {
      kind: "json",
      schema: z.strictObject({
        name: z
          .string()
          .min(1)
          .max(255)
          .regex(/^[^\p{Cc}]*$/u, "has control characters")
          .nullable(),
      }),
      maxBytes: 4 * KIB,
    },
    answer: { kind: "empty" },
  },
});
