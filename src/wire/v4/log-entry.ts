// One entry of the vault log. Layout: docs/format.md, The vault log. What the entries mean together is in log-state.ts.
// Decoding checks the shape only: `sig` is verified with the device's key by whoever relies on it.

import { type Bytes, concatBytes, equalBytes, fromHex, toHex, utf8 } from "../../core/bytes.ts";
import { type DeviceId, ID_BYTES, type KeyslotId, type SnapshotId, type VaultId } from "../../core/ids.ts";
import { sha256 } from "../../core/sha256.ts";
import { decodeRecord, encodeMap, encodeRecord, failRecord } from "./envelope.ts";
import { type Fail, FieldReader } from "./fields.ts";

export type KeyslotKind = "passphrase" | "recovery" | "passkey" | "recipient";

/** Hashes and ids are hex. */
export type LogBodies = {
  genesis: { readonly record: string };
  "device-add": { readonly device: DeviceId; readonly name: string; readonly publicKey: Bytes };
  "device-revoke": { readonly device: DeviceId };
  "device-trust": { readonly device: DeviceId; readonly group: TrustGroup };
  "keyslot-add": {
    readonly hash: string;
    readonly id: KeyslotId;
    readonly kind: KeyslotKind;
    readonly label: string;
  };
  "keyslot-remove": { readonly id: KeyslotId };
  commit: { readonly snapshot: SnapshotId };
  remove: { readonly snapshot: SnapshotId };
  undelete: { readonly snapshot: SnapshotId };
  purge: { readonly snapshot: SnapshotId };
  /** `until` is milliseconds since 1970 UTC, 0 for ever. */
  pin: { readonly snapshot: SnapshotId; readonly until: number };
  unpin: { readonly snapshot: SnapshotId };
};

/** Devices rely on what others of their group have stored: "" is the group of all that were not put elsewhere, null one of the device alone. */
export type TrustGroup = string | null;

export type LogType = keyof LogBodies;

/** What happened: a type and the body that goes with it. */
export type LogEvent = { [Type in LogType]: { readonly type: Type; readonly body: LogBodies[Type] } }[LogType];

export type LogEntry = LogEvent & {
  readonly seq: number;
  /** id of the entry before, hex; zeros for seq 1. */
  readonly prev: string;
  /** The vault's clock, milliseconds since 1970 UTC. */
  readonly at: number;
  /** Device that asked for it. */
  readonly by: DeviceId | undefined;
  /** Ed25519 by that device over `logStatement`. */
  readonly sig: Bytes | undefined;
};

export const LOG_START = "00".repeat(32);

const NAME_MAX_BYTES = 255;
const KEYSLOT_KINDS: readonly string[] = ["passphrase", "recovery", "passkey", "recipient"] satisfies KeyslotKind[];

/** `id` is the hex name that the next entry calls `prev`. */
export async function encodeLogEntry(entry: LogEntry): Promise<{ bytes: Bytes; id: string }> {
  const { bytes, id } = await encodeRecord("CB4L", {
    at: entry.at,
    body: encodeLogBody(entry),
    by: entry.by === undefined ? null : fromHex(entry.by),
    prev: fromHex(entry.prev),
    seq: entry.seq,
    sig: entry.sig ?? null,
    type: entry.type,
  });
  return { bytes, id: toHex(id) };
}

/** Byte fields are views into `bytes`. */
export async function decodeLogEntry(bytes: Uint8Array): Promise<LogEntry & { readonly id: string }> {
  const { body, id } = await decodeRecord("CB4L", bytes);
  const fail = failRecord("A log entry");
  const fields = new FieldReader(body, fail);
  const entry = {
    seq: fields.int("seq"),
    prev: fields.id("prev", 32),
    at: fields.int("at"),
    by: fields.optionalId<DeviceId>("by", ID_BYTES.device),
    sig: fields.optionalBytes("sig", 64),
  };
  const event = await decodeLogEvent(fields.text("type", 64), fields.value("body"));
  fields.end();
  if (entry.seq === 0) fail("entries are numbered from 1");
  if (entry.sig && !entry.by) fail("it is signed by nobody");
  return { ...entry, ...event, id: toHex(id) };
}

/** The bytes that a device signs to ask for an entry. */
export function logStatement<Type extends LogType>(vaultId: VaultId, type: Type, body: LogBodies[Type]): Bytes {
  const map = encodeMap(encodeLogBody({ type, body } as LogEvent));
  return concatBytes([utf8("CB4 log v1\n"), fromHex(vaultId), utf8(`${type}\0`), map]);
}

/** The body as it lies in the entry's MessagePack map. */
export function encodeLogBody(event: LogEvent): Record<string, unknown> {
  switch (event.type) {
    case "genesis":
      return { record: fromHex(event.body.record) };
    case "device-add":
      return { device: fromHex(event.body.device), name: event.body.name, publicKey: event.body.publicKey };
    case "device-revoke":
      return { device: fromHex(event.body.device) };
    case "device-trust":
      return { device: fromHex(event.body.device), group: event.body.group };
    case "keyslot-add": {
      const { hash, id, kind, label } = event.body;
      return { hash: fromHex(hash), id: fromHex(id), kind, label };
    }
    case "keyslot-remove":
      return { id: fromHex(event.body.id) };
    case "pin":
      return { snapshot: fromHex(event.body.snapshot), until: event.body.until };
    case "commit":
    case "remove":
    case "undelete":
    case "purge":
    case "unpin":
      return { snapshot: fromHex(event.body.snapshot) };
  }
}

/** Reads type and body as they come from an entry or a signed statement. Throws `record_corrupt`. */
export async function decodeLogEvent(type: string, body: unknown): Promise<LogEvent> {
  const fail = failRecord("A log entry");
  const fields = new FieldReader(body, fail);
  const event = readEvent(type, fields, fail);
  fields.end();
  if (event.type === "device-add") {
    const hash = await sha256(event.body.publicKey);
    if (!equalBytes(hash.subarray(0, ID_BYTES.device), fromHex(event.body.device))) {
      fail("the device's id does not fit its key");
    }
  }
  return event;
}

function readEvent(type: string, fields: FieldReader, fail: Fail): LogEvent {
  const device = () => fields.id<DeviceId>("device", ID_BYTES.device);
  const snapshot = () => fields.id<SnapshotId>("snapshot", ID_BYTES.snapshot);
  switch (type) {
    case "genesis":
      return { type, body: { record: fields.id("record", 32) } };
    case "device-add": {
      const name = fields.text("name", NAME_MAX_BYTES);
      return { type, body: { device: device(), name, publicKey: fields.bytes("publicKey", 32) } };
    }
    case "device-revoke":
      return { type, body: { device: device() } };
    case "device-trust":
      return { type, body: { device: device(), group: fields.optionalText("group", NAME_MAX_BYTES) ?? null } };
    case "keyslot-add":
      return { type, body: readKeyslotAdd(fields, fail) };
    case "keyslot-remove":
      return { type, body: { id: fields.id<KeyslotId>("id", ID_BYTES.keyslot) } };
    case "commit":
    case "remove":
    case "undelete":
    case "purge":
    case "unpin":
      return { type, body: { snapshot: snapshot() } };
    case "pin":
      return { type, body: { snapshot: snapshot(), until: fields.int("until") } };
    default:
      return fail("it is of a type that this program does not know");
  }
}

function readKeyslotAdd(fields: FieldReader, fail: Fail): LogBodies["keyslot-add"] {
  const hash = fields.id("hash", 32);
  const id = fields.id<KeyslotId>("id", ID_BYTES.keyslot);
  const kind = fields.text("kind", 32);
  const label = fields.text("label", NAME_MAX_BYTES);
  if (!hash.startsWith(id)) fail("the keyslot's id does not fit its hash");
  if (!KEYSLOT_KINDS.includes(kind)) fail("the keyslot is of a kind that this program does not know");
  return { hash, id, kind: kind as KeyslotKind, label };
}
