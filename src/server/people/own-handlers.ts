// What people do with what is theirs: see who they are, give a second factor, make and end API keys and sign-ins. An owner may do
// the last two for others. Whatever is somebody else's is "not found" for everybody else.

import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import type { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import type { Call, Handlers } from "../http/call.ts";
import { hasRole, type Principal, type Role, roleOf } from "../http/principal.ts";
import { credentialOf } from "./authenticate.ts";
import { FRESH_MS } from "./factor.ts";
import { requireMayGive } from "./may-give.ts";
import type { PeopleParts } from "./people-part.ts";
import type { PeopleStore } from "./store.ts";

type OwnRoutes = Pick<
  typeof PEOPLE_ROUTES,
  | "personLogin"
  | "me"
  | "secondFactor"
  | "apiKeys"
  | "addApiKey"
  | "dropApiKey"
  | "signIns"
  | "dropSignIn"
  | "dropSignIns"
>;

export function ownHandlers(parts: PeopleParts): Handlers<OwnRoutes> {
  const { kit, store, keys, signIns, passwords, factors, limits, notes } = parts;

  return {
    async personLogin(call) {
      const { email, password, code, name, role, vaults, days } = call.body;
      const { address, request } = call;
      notes.add(request, { person: store.byEmail(email)?.id });
      const person = await limits.guard("password", { address, subject: email }, () =>
        passwords.check(email, password),
      );
      if (person.hasFactor) {
        if (code === undefined) throw new AppError("second_factor_needed");
        await limits.guard("factor", { address, subject: person.id }, () => loginCode(person.id, code));
      }
      const most = greatest([person.role, ...person.grants.map((grant) => grant.role)]);
      if (most === undefined)
        throw new AppError("forbidden", { context: { caller: "this account", needed: "a role" } });
      const wish = { person: person.id, name, role: role ?? most, vaults: vaults ?? null };
      const key = await keys.make({ ...wish, days: days ?? LIMITS.keyDays.value });
      notes.add(request, { subject: key.id });
      call.reply.status = 201;
      return key;
    },

    me({ principal }) {
      const own = ownOf(principal);
      if (own === undefined) {
        const nobody = { id: null, name: "this machine", email: null, grants: [], freshUntil: null };
        return { ...nobody, via: "machine" as const, role: "owner" as const, hasFactor: false, hasPassword: false };
      }
      const { id, name, role, hasFactor, factorAt, via } = own;
      const grants = [...own.grants].map(([vault, granted]) => ({ vault, role: granted }));
      const freshUntil = factorAt === undefined ? null : factorAt + FRESH_MS;
      const { email } = store.known(id);
      const hasPassword = store.passwordHash(id) !== undefined;
      return { id, name, email, via, role: role ?? null, grants, hasFactor, hasPassword, freshUntil };
    },

    async secondFactor(call) {
      const own = requirePerson(call.principal);
      await limits.guard("factor", { address: call.address, subject: own.id }, () =>
        factors.check(own.id, call.body.code),
      );
      return { freshUntil: factors.freshen(credentialOf(own)) };
    },

    apiKeys({ principal, query }) {
      return { keys: keys.list(whosePerson(store, principal, query.person)) };
    },

    async addApiKey(call) {
      const own = requirePerson(call.principal);
      const { name, role, vaults, days } = call.body;
      if (vaults === null) requireMayGive(greatest([own.role, ...own.grants.values()]), role);
      else for (const vault of vaults) requireMayGive(roleOf(own, vault), role);
      // A key that is for some vaults only makes keys for those only, and none that outlives it.
      const maker = own.via === "key" ? keys.byId(credentialOf(own).id) : undefined;
      if (maker !== undefined && vaults === null && maker.vaults !== null) requireMayGive(undefined, role);
      const leftMs =
        maker?.expiresAt === undefined || maker.expiresAt === null ? undefined : maker.expiresAt - parts.clock.now();
      if (leftMs !== undefined && (days === null || days * 86_400_000 > leftMs)) {
        throw new AppError("forbidden", {
          context: { caller: "this API key", needed: "a key that ends no later than itself" },
        });
      }
      const key = await keys.make({ person: own.id, name, role, vaults, days });
      notes.add(call.request, { subject: key.id });
      call.reply.status = 201;
      return key;
    },

    dropApiKey({ principal, params }) {
      const key = keys.byId(params.id);
      if (key === undefined || !isTheirs(principal, key.person)) {
        throw new AppError("not_found", { context: { what: "This API key" } });
      }
      keys.drop(key.id);
      kit.running.cutPerson(key.person);
      return undefined;
    },

    signIns({ principal, query }) {
      const own = ownOf(principal);
      const here = own?.via === "cookie" ? credentialOf(own).id : undefined;
      const rows = signIns.list(whosePerson(store, principal, query.person));
      return { signIns: rows.map((row) => ({ ...row, isThis: row.id === here })) };
    },

    dropSignIn({ principal, params }) {
      const person = signIns.personOf(params.id);
      if (person === undefined || !isTheirs(principal, person)) {
        throw new AppError("not_found", { context: { what: "This sign-in" } });
      }
      signIns.drop(params.id);
      kit.running.cutPerson(person);
      return undefined;
    },

    dropSignIns({ principal, query }) {
      const own = ownOf(principal);
      const keep = query.others === "true" && own?.via === "cookie" ? credentialOf(own).id : undefined;
      const person = whosePerson(store, principal, query.person);
      signIns.dropAll(person, keep);
      kit.running.cutPerson(person);
      return undefined;
    },
  };

  /** At login a wrong code is answered as a wrong password is. */
  async function loginCode(person: string, code: string): Promise<void> {
    try {
      await factors.check(person, code);
    } catch (cause) {
      throw new AppError("login_failed", { cause });
    }
  }
}

/** Whose things are asked for: the caller's own, or those of `asked`. Throws `not_found` for what is not the caller's to see. */
export function whosePerson(store: PeopleStore, principal: Principal, asked: string | undefined): string {
  if (asked === undefined) return requirePerson(principal).id;
  if (!isTheirs(principal, asked)) throw new AppError("not_found", { context: { what: "This account" } });
  return store.known(asked).id;
}

/** Whether the caller may look after what belongs to a person: their own, and for owners of the server everybody's. */
export function isTheirs(principal: Principal, person: string): boolean {
  return hasRole(roleOf(principal), "owner") || ownOf(principal)?.id === person;
}

export function requirePerson(principal: Call["principal"]) {
  const own = ownOf(principal);
  if (own !== undefined) return own;
  throw new AppError("forbidden", { context: { caller: "this machine's socket", needed: "a person's account" } });
}

function ownOf(principal: Principal) {
  return principal.kind === "person" ? principal : undefined;
}

function greatest(roles: Iterable<Role | null | undefined>): Role | undefined {
  let most: Role | undefined;
  for (const role of roles) if (role && !hasRole(most, role)) most = role;
  return most;
}
