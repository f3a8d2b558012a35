// The certificates that the server makes and shows, and the versions of TLS that it speaks.

import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { serverIdentity } from "../../src/server/tls/identity.ts";
import { startRig, testSettings } from "./rig.ts";

const NOW = Date.UTC(2030, 0, 1);
const DAY_MS = 86_400_000;
const listen = { host: "127.0.0.1", port: 0 };

function newData(t: { after(work: () => void): void }): string {
  const data = mkdtempSync(join(tmpdir(), "cb-tls-"));
  t.after(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

test("a server makes an authority and a certificate that it signs, and keeps both", async (t) => {
  const settings = testSettings(newData(t), { listen });
  const first = await serverIdentity(settings, NOW);
  const [leaf, authority] = certificates(first.tls!.cert);
  assert.ok(leaf!.verify(authority!.publicKey));
  assert.ok(leaf!.checkIssued(authority!));
  assert.ok(authority!.ca && !leaf!.ca);
  assert.equal(first.pin, sha256(authority!));
  assert.deepEqual(first.bindings, [sha256(leaf!)]);
  assert.match(leaf!.subjectAltName!, /DNS:localhost.*IP Address:127\.0\.0\.1/);
  const days = (certificate: X509Certificate) =>
    (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / DAY_MS;
  assert.deepEqual([days(leaf!), days(authority!)], [397, 7305]);
  assert.deepEqual(await serverIdentity(settings, NOW + DAY_MS), first);
  for (const name of ["authority.pem", "server.pem"]) {
    assert.equal(statSync(join(settings.data, "tls", name)).mode & 0o777, 0o600);
  }
});

test("a certificate is renewed before it ends, below the same authority, and the one before still binds", async (t) => {
  const settings = testSettings(newData(t), { listen });
  const first = await serverIdentity(settings, NOW);
  const next = await serverIdentity(settings, NOW + 370 * DAY_MS);
  assert.equal(next.pin, first.pin);
  assert.notEqual(next.bindings[0], first.bindings[0]);
  assert.equal(next.bindings[1], first.bindings[0]);
  assert.ok(next.expiresAt! > NOW + 700 * DAY_MS);
});

test("TLS 1.3 is spoken with the chain up to the authority, and nothing older", async () => {
  await using rig = await startRig({ settings: { listen } });
  const port = rig.server.port!;
  const socket = await dial(port, {});
  assert.equal(socket.getProtocol(), "TLSv1.3");
  const chain: PeerCertificate = socket.getPeerCertificate(true);
  const { issuerCertificate } = chain as PeerCertificate & { issuerCertificate: PeerCertificate };
  assert.equal(createHash("sha256").update(issuerCertificate.raw).digest("hex"), rig.server.kit.identity().pin);
  socket.destroy();
  await assert.rejects(dial(port, { maxVersion: "TLSv1.2", minVersion: "TLSv1.2" }), /protocol version/i);
});

function certificates(pem: string): X509Certificate[] {
  return pem
    .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)!
    .map((one) => new X509Certificate(one));
}

function sha256({ raw }: X509Certificate): string {
  return createHash("sha256").update(raw).digest("hex");
}

function dial(port: number, options: object): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () => resolve(socket));
    socket.on("error", reject);
  });
}
