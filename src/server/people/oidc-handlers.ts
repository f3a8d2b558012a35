// What the routes of sign-in by a provider do. Nothing is asked of a provider for a browser that has not begun here; codes that are none are counted and
// delayed as wrong passwords are; who came in, or did not, is in the audit trail.

import { AppError } from "../../core/errors.ts";
import type { OIDC_ROUTES } from "../../wire/v4/api/oidc-routes.ts";
import type { Handlers } from "../http/call.ts";
import { ADDRESS_HEADER } from "./auth.ts";
import { type AnyCall, type AuthParts, cookiesOf } from "./auth-handlers.ts";
import type { IdentityStore } from "./identity-store.ts";
import type { OidcClient } from "./oidc-client.ts";
import { isSame, type OidcTickets, TICKET_LIVES_MS } from "./oidc-ticket.ts";

export type OidcParts = AuthParts & {
  readonly clients: readonly OidcClient[];
  readonly tickets: OidcTickets;
  readonly identities: IdentityStore;
  readonly isSecure: boolean;
};

const COOKIE = "cyberbackup.oidc";

export function oidcHandlers(parts: OidcParts): Handlers<typeof OIDC_ROUTES> {
  const { auth, clients, tickets, identities, limits, notes, origins, isSecure } = parts;

  const clientOf = (id: string): OidcClient => {
    const client = clients.find(({ provider }) => provider.id === id);
    if (client === undefined) throw new AppError("not_found", { context: { what: "This sign-in provider" } });
    return client;
  };

  const ownPage = ({ request }: AnyCall): string => {
    const { origin } = request.headers;
    if (origin !== undefined && origins.has(origin)) return origin;
    throw new AppError("forbidden", { context: { caller: "a page of another site", needed: "a page of this server" } });
  };

  const cookie = (value: string, seconds: number): string =>
    `${COOKIE}=${value}; Path=/api/auth/oidc; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;

  return {
    async oidcBegin(call) {
      notes.add(call.request, { isUneventful: true });
      const origin = ownPage(call);
      const { provider, rememberMe = true } = call.body;
      const client = clientOf(provider);
      const { cookie: value, ticket } = tickets.make({ provider, origin, rememberMe });
      const url = await client.address(ticket);
      call.reply.header("Set-Cookie", cookie(value, TICKET_LIVES_MS / 1000));
      return { origin, url };
    },

    async oidcFinish(call) {
      const origin = ownPage(call);
      const { code, state, iss } = call.body;
      const { request, address } = call;
      // Whatever comes of it, it is good once.
      call.reply.header("Set-Cookie", cookie("", 0));
      const identity = await limits.guard("provider", { address, subject: undefined }, async () => {
        const ticket = tickets.open(cookieIn(call));
        notes.add(request, { subject: ticket.provider });
        // Another browser began, or a page of another site would have this one sign in as somebody else.
        if (!isSame(state, ticket.state) || origin !== ticket.origin) throw new AppError("login_failed");
        const client = clientOf(ticket.provider);
        return { ...ticket, client, who: await client.identity(ticket, code, iss) };
      });
      const person = identities.personOf(identity.who, identity.client.provider.newcomers);
      notes.add(request, { person: person.id });
      const headers = new Headers({
        "user-agent": (request.headers["user-agent"] ?? "").slice(0, 200),
        [ADDRESS_HEADER]: address,
      });
      const body = { person: person.id, rememberMe: identity.rememberMe };
      const response = await auth.api.signInByProvider({ body, headers, asResponse: true });
      if (!response.ok) throw new AppError("login_failed");
      call.reply.header("Set-Cookie", [cookie("", 0), ...cookiesOf(response)]);
      return (await response.json()) as { needsFactor: boolean };
    },
  };
}

function cookieIn({ request }: AnyCall): string | undefined {
  return /(?:^|;\s*)cyberbackup\.oidc=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
}
