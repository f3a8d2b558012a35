// The part of the server that knows people: accounts, roles, API keys, sign-ins, passkeys, the audit trail, and how the server is.

import type { Clock } from "../../core/clock.ts";
import { readVersion } from "../../node/version.ts";
import type { Database } from "../../vault/database.ts";
import { AUTH_ROUTES } from "../../wire/v4/api/auth-routes.ts";
import { OIDC_ROUTES } from "../../wire/v4/api/oidc-routes.ts";
import { PASSKEY_ROUTES } from "../../wire/v4/api/passkey-routes.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { mount } from "../http/call.ts";
import type { PartModule, ServerKit } from "../kit.ts";
import type { AttemptLimits } from "../limits/attempts.ts";
import { ApiKeys } from "./api-keys.ts";
import { AuditTrail } from "./audit.ts";
import { entryOfAction, entryOfCall } from "./audit-entries.ts";
import { AuditNotes } from "./audit-notes.ts";
import { makeAuth } from "./auth.ts";
import { authHandlers } from "./auth-handlers.ts";
import { authenticatePerson } from "./authenticate.ts";
import { SecondFactors } from "./factor.ts";
import { peopleHandlers } from "./handlers.ts";
import { IdentityStore } from "./identity-store.ts";
import { PeopleLinks } from "./links.ts";
import { OidcClient } from "./oidc-client.ts";
import { oidcHandlers } from "./oidc-handlers.ts";
import { OidcTickets } from "./oidc-ticket.ts";
import { passkeyHandlers } from "./passkey-handlers.ts";
import { Passkeys } from "./passkeys.ts";
import { Passwords } from "./passwords.ts";
import { PEOPLE_MIGRATIONS } from "./schema.ts";
import { authSecret } from "./secret.ts";
import { SignIns } from "./sign-ins.ts";
import { PeopleStore } from "./store.ts";

export type PeopleParts = {
  readonly kit: ServerKit;
  readonly database: Database;
  readonly clock: Clock;
  readonly version: string;
  readonly store: PeopleStore;
  readonly links: PeopleLinks;
  readonly keys: ApiKeys;
  readonly signIns: SignIns;
  readonly passwords: Passwords;
  readonly factors: SecondFactors;
  readonly limits: AttemptLimits;
  readonly audit: AuditTrail;
  readonly notes: AuditNotes;
};

const SWEEP_EVERY_MS = 60 * 60 * 1000;

export const PEOPLE_PART: PartModule = {
  migrations: PEOPLE_MIGRATIONS,
  async make(kit) {
    const { database, clock, random, settings, logger, passwordHashing } = kit;
    // Plain HTTP is for this machine alone, or for a proxy that does TLS.
    const isSecure = settings.listen !== undefined || settings.trustProxy;
    const auth = makeAuth({
      ...{ database, isSecure, clock, random, log: logger, passwordHashing },
      secret: await authSecret(settings.data, random),
    });
    const store = new PeopleStore({ database, clock, random });
    const parts: PeopleParts = {
      kit,
      database,
      clock,
      version: readVersion(),
      store,
      links: new PeopleLinks({ database, clock, random }),
      keys: new ApiKeys({ auth, database, clock }),
      signIns: new SignIns({ database, clock }),
      passwords: new Passwords({ auth, store }),
      factors: new SecondFactors({ auth, database, clock }),
      limits: kit.attempts,
      audit: new AuditTrail({ database, clock }),
      notes: new AuditNotes(),
    };
    const doors = { auth, ...parts };
    const pageDoors = { ...doors, origins: kit.origins };
    const passkeys = new Passkeys({ database, clock, random });
    const oidc = {
      clients: (settings.oidc ?? []).map((provider) => new OidcClient(provider, clock)),
      tickets: new OidcTickets({ clock, random }),
      identities: new IdentityStore({ database, clock, store }),
      isSecure,
    };
    let sweeping: NodeJS.Timeout | undefined;
    return {
      routes: [
        ...mount(PEOPLE_ROUTES, peopleHandlers(parts)),
        ...mount(AUTH_ROUTES, authHandlers(pageDoors)),
        ...mount(PASSKEY_ROUTES, passkeyHandlers({ ...pageDoors, passkeys })),
        ...mount(OIDC_ROUTES, oidcHandlers({ ...pageDoors, ...oidc })),
      ],
      authenticate: (request, address) => authenticatePerson(doors, request, address),
      audit(done) {
        const { request, action, vault, detail: subject } = done;
        if (request === undefined) parts.audit.record(entryOfAction(done));
        else parts.notes.add(request, { action, vault, ...(subject === undefined ? {} : { subject }) });
      },
      onCall(call) {
        const entry = entryOfCall(call, parts.notes.of(call.request), store);
        if (entry !== undefined) parts.audit.record(entry);
      },
      /** For as long as nobody can sign in as an owner. */
      setupToken: () => (store.hasOwner() ? undefined : parts.links.make(undefined).token),
      hasOwner: () => store.hasOwner(),
      start() {
        parts.signIns.sweep();
        sweeping = setInterval(() => parts.signIns.sweep(), SWEEP_EVERY_MS);
        sweeping.unref();
      },
      stop: () => clearInterval(sweeping),
    };
  },
};
