// What this machine knows of one server: whom to trust there, which vault is behind which name, and the API key of whoever has logged in.
// Layout: docs/format.md, Files on the device. An API key is a secret: the file is for its owner alone.

import { z } from "zod";
import { type Bytes, tryFromHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { ID_BYTES, type VaultId } from "../core/ids.ts";
import { tryParseJson } from "../crypto/secrets.ts";
import { hexId } from "../wire/v4/api/coding.ts";

export type ServerFile = {
  /** `https://host:port`. */
  readonly origin: string;
  /** SHA-256 of the certificate to trust; undefined: public authorities. */
  readonly pin: Bytes | undefined;
  /** By the name in the address. A name that was seen once means that vault from then on. */
  readonly vaults: Readonly<Record<string, VaultId>>;
  readonly login: ServerLogin | undefined;
};

export type ServerLogin = { readonly email: string; readonly keyId: string; readonly key: string };

const FORMAT = "cyberbackup-server/1";

const schema = z.strictObject({
  format: z.literal(FORMAT),
  origin: z.string().max(512),
  pin: hexId<string>(32).nullable(),
  vaults: z.record(z.string().min(1).max(255), hexId<VaultId>(ID_BYTES.vault)),
  login: z
    .strictObject({ email: z.string().max(512), keyId: z.string().max(128), key: z.string().min(1).max(512) })
    .nullable(),
});

export function newServerFile(origin: string, pin: Bytes | undefined): ServerFile {
  return { origin, pin, vaults: {}, login: undefined };
}

export function encodeServerFile({ origin, pin, vaults, login }: ServerFile): string {
  const content = { format: FORMAT, origin, pin: pin?.toHex() ?? null, vaults, login: login ?? null };
  return `${JSON.stringify(content)}\n`;
}

/** Throws `record_corrupt`. */
export function decodeServerFile(text: string): ServerFile {
  const parsed = schema.safeParse(tryParseJson(text));
  if (!parsed.success) {
    const detail = "it does not hold what it should";
    throw new AppError("record_corrupt", { context: { what: "The file of a server on this machine", detail } });
  }
  const { origin, pin, vaults, login } = parsed.data;
  return { origin, pin: pin === null ? undefined : tryFromHex(pin), vaults, login: login ?? undefined };
}
