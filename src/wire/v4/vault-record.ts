// The vault record: what a vault is, written once by `init` and never changed. Layout: docs/format.md, Vault record.

import { type Bytes, fromHex, toHex } from "../../core/bytes.ts";
import { ID_BYTES, type VaultId } from "../../core/ids.ts";
import { decodeRecord, encodeRecord, failRecord } from "./envelope.ts";
import { FieldReader } from "./fields.ts";

export type VaultRecord = {
  readonly vault: VaultId;
  /** Milliseconds since 1970 UTC. */
  readonly createdAt: number;
  /** Version of the chunker that cuts this vault's files. */
  readonly chunker: 1;
};

/** `id` is the record's SHA-256 in hex: what the log's genesis entry names. */
export async function encodeVaultRecord(record: VaultRecord): Promise<{ bytes: Bytes; id: string }> {
  const { bytes, id } = await encodeRecord("CB4V", {
    chunker: record.chunker,
    createdAt: record.createdAt,
    vault: fromHex(record.vault),
  });
  return { bytes, id: toHex(id) };
}

export async function decodeVaultRecord(bytes: Uint8Array): Promise<VaultRecord & { readonly id: string }> {
  const { body, id } = await decodeRecord("CB4V", bytes);
  const fail = failRecord("The vault record");
  const fields = new FieldReader(body, fail);
  const chunker = fields.int("chunker");
  if (chunker !== 1) fail(`it asks for chunker ${chunker}, which this program does not know`);
  const createdAt = fields.int("createdAt");
  const vault = fields.id<VaultId>("vault", ID_BYTES.vault);
  fields.end();
  return { vault, createdAt, chunker: 1, id: toHex(id) };
}
