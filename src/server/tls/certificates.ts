// Makes the certificates of a server that was given none: an authority of its own, and what it signs (RFC 5280; ECDSA on P-256
// with SHA-256). Keys come and go as PEM.

// What the library below expects to be there before it is loaded.
import "reflect-metadata";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

export type MadeCertificate = { readonly cert: string; readonly key: string };

const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 20 * 365.25;
/** What browsers take at most. */
const LEAF_DAYS = 397;
/** For clocks that are behind. */
const LEEWAY_MS = DAY_MS;

export async function makeAuthority(now: number): Promise<MadeCertificate> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=CyberBackup server authority",
    ...validity(now, AUTHORITY_DAYS),
    signingAlgorithm: SIGNATURE,
    keys,
    extensions: [
      // It signs certificates of servers and nothing below them.
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return made(certificate, keys);
}

/** `hosts` are names and addresses. */
export async function makeLeaf(
  authority: MadeCertificate,
  hosts: readonly string[],
  now: number,
): Promise<MadeCertificate> {
  const issuer = new X509Certificate(authority.cert);
  const keys = await newKeys();
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(
      hosts.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
    ),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
    await AuthorityKeyIdentifierExtension.create(issuer),
  ];
  const certificate = await X509CertificateGenerator.create({
    subject: "CN=CyberBackup server",
    issuer: issuer.subject,
    ...validity(now, LEAF_DAYS),
    signingAlgorithm: SIGNATURE,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    extensions,
  });
  return made(certificate, keys);
}

function validity(now: number, days: number): { notBefore: Date; notAfter: Date } {
  const notBefore = now - LEEWAY_MS;
  return { notBefore: new Date(notBefore), notAfter: new Date(notBefore + days * DAY_MS) };
}

async function newKeys(): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey(KEY, true, ["sign", "verify"])) as CryptoKeyPair;
}

async function made(certificate: X509Certificate, keys: CryptoKeyPair): Promise<MadeCertificate> {
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: `${certificate.toString("pem")}\n`, key: `${PemConverter.encode(pkcs8, "PRIVATE KEY")}\n` };
}

function importKey(pem: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("pkcs8", PemConverter.decodeFirst(pem), KEY, false, ["sign"]);
}
