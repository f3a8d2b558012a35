// Signing in by a provider of OpenID Connect (docs/server.md, Sign-in by a provider). The page goes to the provider and comes back with a code; what
// binds the two halves to one browser is a cookie that no script reads. No answer carries a token.

import { z } from "zod";
import { routes } from "./route.ts";

const MOST_BYTES = 8192;

export const providerId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "not an id of a provider");

const ask = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema, maxBytes: MOST_BYTES }) as const;
const json = <Schema extends z.ZodType>(schema: Schema) => ({ kind: "json", schema }) as const;
/** What a provider gives a browser to carry. */
const carried = z.string().min(1).max(2048);

export const OIDC_ROUTES = routes({
  oidcBegin: {
    method: "POST",
    path: "/api/auth/oidc/begin",
    who: ["anyone"],
    summary: "Where a browser is to go to sign in by a provider. Good once, for ten minutes, for this browser.",
    body: ask(z.strictObject({ provider: providerId, rememberMe: z.boolean().optional() })),
    /** `origin`: the only one to whose pages the provider sends people back. */
    answer: json(z.strictObject({ origin: z.string(), url: z.string() })),
  },
  oidcFinish: {
    method: "POST",
    path: "/api/auth/oidc/finish",
    who: ["anyone"],
    summary:
      "Signs a page in by what its provider has sent it back with. With an authenticator, the cookie is good for its code only.",
    body: ask(z.strictObject({ code: carried, state: carried, iss: carried.optional() })),
    answer: json(z.strictObject({ needsFactor: z.boolean() })),
  },
});
