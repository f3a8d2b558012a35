// The page as a part of the server: its files, the authority for download, and what a page must know before anybody is signed in.

import { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { AppError } from "../../core/errors.ts";
import { PAGE_ROUTES } from "../../wire/v4/api/page-routes.ts";
import { mount, type RawRoute } from "../http/call.ts";
import type { PartModule, ServerKit } from "../kit.ts";
import { openBundle } from "./bundle.ts";

const CA_PATH = "/ca.crt";

export const PAGE_PART: PartModule = {
  make(kit) {
    const reach = mount(PAGE_ROUTES, {
      reach: () => {
        const { pin } = kit.identity();
        const { https, http } = kit.ports();
        return {
          publicUrl: kit.settings.publicUrl ?? null,
          httpsPort: https ?? null,
          httpPort: http ?? null,
          fingerprint: pin ?? null,
          hasAuthority: authorityOf(kit) !== undefined,
          hasOwner: kit.hasOwner(),
          providers: (kit.settings.oidc ?? []).map(({ id, name }) => ({ id, name })),
        };
      },
    });
    const raw: RawRoute[] = [
      { prefix: CA_PATH, handle: async (request, response) => sendAuthority(kit, request, response) },
    ];
    if (kit.settings.web) {
      const bundle = openBundle(kit.random);
      raw.push({ prefix: "/", handle: (request, response) => bundle.serve(request, response) });
    }
    return { routes: reach, raw };
  },
};

/** The certificate that the server's own one is signed by; undefined when it was given one, or a proxy does TLS. */
function authorityOf({ settings, identity }: ServerKit): string | undefined {
  if (settings.tls !== undefined) return undefined;
  return identity().tls?.cert.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g)?.[1];
}

function sendAuthority(kit: ServerKit, request: IncomingMessage, response: ServerResponse): void {
  const isThisPath = request.url?.split("?", 1)[0] === CA_PATH && request.method === "GET";
  const pem = isThisPath ? authorityOf(kit) : undefined;
  if (pem === undefined) throw new AppError("not_found", { context: { what: "This address of the server" } });
  // DER under this type is what systems and browsers offer to install.
  const { raw } = new X509Certificate(pem);
  response.setHeader("Content-Type", "application/x-x509-ca-cert");
  response.setHeader("Content-Disposition", 'attachment; filename="cyberbackup-authority.crt"');
  response.setHeader("Content-Length", raw.length);
  response.end(raw);
}
