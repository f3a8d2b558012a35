// The files of CyberBackup 3 (docs/from-cyberbackup-3.md, Files): `transfer.info`, `me.info` and `port.info` as texts, and `priv.key`.
// They are written byte for byte as the old programs do, and read with what people and editors do to them: line ends of Windows,
// a byte order mark, blank lines at the end. A private key must never stand in an error.

import { tryUtf8Decode } from "../core/bytes.ts";
import { PORTS } from "../core/config-schema.ts";
import { AppError } from "../core/errors.ts";
import type { V3ClientId } from "../core/ids.ts";
import { publicKeyOf } from "./legacy-crypto.ts";

export type ServerAddress = { readonly host: string; readonly port: number };

export type TransferInfo = { readonly server: ServerAddress; readonly user: string; readonly path: string };

export type MeInfo = {
  readonly user: string;
  readonly client: V3ClientId;
  /** PKCS#8 DER. */
  readonly privateKey: Uint8Array;
};

/** Three lines: `ip:port`, user name, path. Throws `v3_file_invalid`, which names `file`. */
export function parseTransferInfo(content: Uint8Array, file: string): TransferInfo {
  const [address, user, path] = linesOf(content, file);
  const server = parseServerAddress(address?.trim() ?? "");
  if (!server) return fail(file, `its first line is no address and port, such as 192.0.2.7:${PORTS.gateway.value}.`);
  return {
    server,
    user: user?.trim() || fail(file, "its second line names no user."),
    path: path || fail(file, "its third line names no file."),
  };
}

/** Three lines: user name, 32 hex digits of the id, base64 of the key. Throws `v3_file_invalid`, which names `file`. */
export function parseMeInfo(content: Uint8Array, file: string): MeInfo {
  const [user, id, ...key] = linesOf(content, file);
  const client = id?.trim().toLowerCase() ?? "";
  if (!/^[0-9a-f]{32}$/.test(client)) fail(file, "its second line is no client id of 32 hex digits.");
  return {
    user: user?.trim() || fail(file, "its first line names no user."),
    client: client as V3ClientId,
    // Crypto++ breaks long base64 into lines unless it is told not to.
    privateKey: requirePrivateKey(fromBase64(key.join("")), file),
  };
}

export function formatMeInfo({ user, client, privateKey }: MeInfo): string {
  return `${user}\n${client}\n${Buffer.from(privateKey).toString("base64")}\n`;
}

/** The content of `priv.key`: PKCS#8 DER as it is. Throws `v3_file_invalid`, which names `file`. */
export function requirePrivateKey(der: Uint8Array, file: string): Uint8Array {
  try {
    publicKeyOf(der);
    return der;
  } catch {
    return fail(file, "it holds no RSA key of 1024 bits.");
  }
}

/** The port that `port.info` names; undefined where it names none, and the old server took its default. */
export function parsePortInfo(content: Uint8Array): number | undefined {
  return parsePort(
    tryUtf8Decode(content)
      ?.replace(/^\ufeff/, "")
      .trim() ?? "",
  );
}

/** `host:port` or `[ipv6]:port`; undefined for anything else. */
export function parseServerAddress(text: string): ServerAddress | undefined {
  const match = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^\s:[\]/@]+)):(\d+)$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = parsePort(match?.[3] ?? "");
  return host === undefined || port === undefined ? undefined : { host, port };
}

function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function linesOf(content: Uint8Array, file: string): string[] {
  const text = tryUtf8Decode(content) ?? fail(file, "it is not UTF-8.");
  return text.replace(/^\ufeff/, "").split(/\r?\n/);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s+/g, ""), "base64"));
}

function fail(file: string, detail: string): never {
  throw new AppError("v3_file_invalid", { context: { path: file, detail } });
}
