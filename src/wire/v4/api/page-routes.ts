// What the page has to know before anybody is signed in: how this server can be reached safely, and whether it has an owner.

import { z } from "zod";
import { providerId } from "./oidc-routes.ts";
import { routes } from "./route.ts";

const port = z.number().int().min(1).max(65_535).nullable();

export const PAGE_ROUTES = routes({
  reach: {
    method: "GET",
    path: "/api/v4/reach",
    who: ["anyone"],
    summary:
      "Where the server speaks HTTPS and plain HTTP on its own machine, and the fingerprint that its certificate has.",
    answer: {
      kind: "json",
      schema: z.strictObject({
        /** What people and devices are told to use, when somebody has set it. */
        publicUrl: z.string().nullable(),
        httpsPort: port,
        /** Plain HTTP, for the server's own machine (or its proxy). */
        httpPort: port,
        /** SHA-256 of the certificate that clients pin, hex. */
        fingerprint: z.string().nullable(),
        /** Whether `/ca.crt` has an authority that the server has made itself. */
        hasAuthority: z.boolean(),
        /** False while the set-up link is good. */
        hasOwner: z.boolean(),
        /** By whom one may sign in beside a password. */
        providers: z.array(z.strictObject({ id: providerId, name: z.string() })),
      }),
    },
  },
});
