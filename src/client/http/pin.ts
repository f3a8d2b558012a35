// Whether the server at the other end of a TLS connection is the one that was meant (docs/protocol-v4.md, Transport): its certificate has
// the pinned fingerprint, or is signed, link by link, by one in the presented chain that has it; and all of them are valid now.

import { createHash, type X509Certificate } from "node:crypto";
import type { Bytes } from "../../core/bytes.ts";

/** No chain that anybody needs is longer. */
const LINKS_AT_MOST = 8;

/** Why it is not; undefined when it is. `pin` is a SHA-256. */
export function pinProblem(leaf: X509Certificate, pin: Uint8Array, now: number): string | undefined {
  let isAllowed = false;
  let certificate = leaf;
  for (let links = 0; ; links++) {
    if (!isValidAt(certificate, now)) return "its certificate is not valid today.";
    if (fingerprintOf(certificate).equals(pin)) {
      isAllowed = true;
      break;
    }
    const issuer = certificate.issuerCertificate;
    if (!issuer || links === LINKS_AT_MOST || !signs(issuer, certificate)) break;
    certificate = issuer;
  }
  return isAllowed ? undefined : `its certificate has another fingerprint (${fingerprintOf(leaf).toString("hex")}).`;
}

/** SHA-256 of the certificate in DER. */
export function fingerprintOf(certificate: X509Certificate): Bytes & Buffer {
  return createHash("sha256").update(certificate.raw).digest() as Bytes & Buffer;
}

/** The last authority of the chain that the certificate comes with; the certificate itself when it shows none. */
export function topOf(leaf: X509Certificate): X509Certificate {
  let certificate = leaf;
  for (let links = 0; links < LINKS_AT_MOST; links++) {
    const issuer = certificate.issuerCertificate;
    if (!issuer || !signs(issuer, certificate)) break;
    certificate = issuer;
  }
  return certificate;
}

/** Whoever is no authority signs nothing, whatever the signature says. A certificate that signs itself leads nowhere. */
function signs(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return (
    issuer.ca &&
    issuer.fingerprint256 !== certificate.fingerprint256 &&
    certificate.checkIssued(issuer) &&
    certificate.verify(issuer.publicKey)
  );
}

function isValidAt({ validFromDate, validToDate }: X509Certificate, now: number): boolean {
  return validFromDate.getTime() <= now && now <= validToDate.getTime();
}
