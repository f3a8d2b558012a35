// What the server shows in TLS, and what logins are bound to: its own certificate below its own authority (DATA/tls), one that it was
// given, or that of the proxy before it. Its own is made when there is none and renewed while it still holds.

import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import { toHex } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import { readFileIfExists, writeFileAtomic } from "../../node/atomic-file.ts";
import type { TlsMaterial } from "../http/listener.ts";
import type { ServerSettings } from "../settings.ts";
import type { MadeCertificate } from "./certificates.ts";

export type ServerIdentity = {
  /** Certificate with its chain, and key; undefined when a proxy does TLS. */
  readonly tls: TlsMaterial | undefined;
  /** SHA-256 of the certificate that clients pin, hex; undefined behind a proxy whose certificate was not given. */
  readonly pin: string | undefined;
  /** SHA-256, hex, of the certificates that a login may be bound to. */
  readonly bindings: readonly string[];
  readonly expiresAt: number | undefined;
};

const RENEW_BEFORE_MS = 30 * 86_400_000;

/** Throws `config_invalid` for files that were given and do not fit. */
export async function serverIdentity(settings: ServerSettings, now: number): Promise<ServerIdentity> {
  const proxy = settings.proxyCertificateFile;
  const proxyCertificate =
    proxy === undefined ? undefined : certificateIn(await given("proxyCertificate", proxy), proxy);
  const proxyBinding = proxyCertificate === undefined ? [] : [fingerprint(proxyCertificate)];
  if (settings.listen === undefined) {
    return { tls: undefined, pin: proxyBinding[0], bindings: proxyBinding, expiresAt: undefined };
  }
  const own = settings.tls === undefined ? await ownIdentity(settings, now) : await givenIdentity(settings.tls);
  return { ...own, bindings: [...own.bindings, ...proxyBinding] };
}

/** Names and addresses under which this machine may be reached. */
export function ownHosts(settings: Pick<ServerSettings, "publicUrl">): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
  const named = settings.publicUrl === undefined ? [] : [new URL(settings.publicUrl).hostname.replace(/^\[|\]$/g, "")];
  const plain = addresses.filter((address) => !address.includes("%"));
  return [...new Set(["localhost", "127.0.0.1", "::1", hostname().toLowerCase(), ...named, ...plain])].filter(Boolean);
}

async function givenIdentity(files: { certFile: string; keyFile: string }): Promise<ServerIdentity> {
  const [cert, key] = [await given("tlsCert", files.certFile), await given("tlsKey", files.keyFile)];
  const certificate = certificateIn(cert, files.certFile);
  if (!fits(certificate, key)) invalid(`${files.keyFile} is not the key of ${files.certFile}.`);
  const pin = fingerprint(certificate);
  return { tls: { cert, key }, pin, bindings: [pin], expiresAt: Date.parse(certificate.validTo) };
}

async function ownIdentity(settings: ServerSettings, now: number): Promise<ServerIdentity> {
  const folder = join(settings.data, "tls");
  const authority =
    (await readPair(folder, "authority")) ?? (await make(folder, "authority", (how) => how.makeAuthority(now)));
  let leaf = await readPair(folder, "server");
  const before = leaf;
  const issuer = new X509Certificate(authority.cert);
  if (leaf === undefined || isOld(leaf, issuer, now)) {
    leaf = await make(folder, "server", (how) => how.makeLeaf(authority, ownHosts(settings), now));
  }
  const certificate = new X509Certificate(leaf.cert);
  // Connections that were made before a renewal saw the certificate before.
  const bindings = [leaf, ...(before && before !== leaf ? [before] : [])].map(({ cert }) =>
    fingerprint(new X509Certificate(cert)),
  );
  return {
    tls: { cert: leaf.cert + authority.cert, key: leaf.key },
    pin: fingerprint(issuer),
    bindings,
    expiresAt: Date.parse(certificate.validTo),
  };
}

function isOld({ cert }: MadeCertificate, issuer: X509Certificate, now: number): boolean {
  const certificate = new X509Certificate(cert);
  return Date.parse(certificate.validTo) - now < RENEW_BEFORE_MS || !certificate.verify(issuer.publicKey);
}

async function make(
  folder: string,
  name: string,
  how: (certificates: typeof import("./certificates.ts")) => Promise<MadeCertificate>,
): Promise<MadeCertificate> {
  const made = await how(await import("./certificates.ts"));
  // One file for both, so that a crash never leaves a key beside another key's certificate.
  await writeFileAtomic(join(folder, `${name}.pem`), made.cert + made.key);
  return made;
}

/** undefined when there is none, or none that is whole. */
async function readPair(folder: string, name: string): Promise<MadeCertificate | undefined> {
  const bytes = await readFileIfExists(join(folder, `${name}.pem`));
  if (bytes === undefined) return undefined;
  const text = Buffer.from(bytes).toString();
  const block = (what: string) => new RegExp(`-----BEGIN ${what}-----[^-]+-----END ${what}-----\\n`).exec(text)?.[0];
  const [cert, key] = [block("CERTIFICATE"), block("PRIVATE KEY")];
  if (cert === undefined || key === undefined) {
    return invalid(
      `${join(folder, name)}.pem is damaged. Put it back from a copy; without it every device must be enrolled again.`,
    );
  }
  return { cert, key };
}

async function given(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new AppError("config_invalid", { cause, context: { detail: `${setting}: ${path} cannot be read.` } });
  }
}

function certificateIn(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new AppError("config_invalid", { cause, context: { detail: `${path} holds no certificate in PEM.` } });
  }
}

function fits(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function fingerprint(certificate: X509Certificate): string {
  return toHex(createHash("sha256").update(certificate.raw).digest());
}

function invalid(detail: string): never {
  throw new AppError("config_invalid", { context: { detail } });
}
