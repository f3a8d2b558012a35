// Who a request of a person comes from: the session cookie of a page, or an API key. What they may do is read anew for each request,
// so that a role that was taken away is gone at once.

import type { IncomingMessage } from "node:http";
import { AppError } from "../../core/errors.ts";
import type { Person } from "../http/principal.ts";
import type { AttemptLimits } from "../limits/attempts.ts";
import { type ApiKeys, rightsOf } from "./api-keys.ts";
import { type Auth, KEY_PREFIX } from "./auth.ts";
import type { Credential, SecondFactors } from "./factor.ts";
import type { PeopleStore, PersonRow } from "./store.ts";

export type PeopleDoors = {
  readonly auth: Auth;
  readonly store: PeopleStore;
  readonly keys: ApiKeys;
  readonly factors: SecondFactors;
  readonly limits: AttemptLimits;
};

/** By what a person proved who they are. Known for every person that authenticatePerson has answered. */
const CREDENTIALS = new WeakMap<Person, Credential>();

export function credentialOf(person: Person): Credential {
  return CREDENTIALS.get(person)!;
}

/** Undefined without cookie and key, and for a cookie that is no longer good. Throws `login_failed` for a wrong key. */
export async function authenticatePerson(
  doors: PeopleDoors,
  request: IncomingMessage,
  address: string,
): Promise<Person | undefined> {
  const key = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (key?.startsWith(KEY_PREFIX)) return byKey(doors, key, address);
  // Some other token: not a person's, and a cookie beside it does not make it one.
  if (request.headers.authorization !== undefined || request.headers.cookie === undefined) return undefined;
  return byCookie(doors, request.headers.cookie);
}

/** Keys are too long to be guessed, so a right one is never delayed by wrong ones from the same place: an old script, a proxy. */
async function byKey({ keys, store, factors, limits }: PeopleDoors, key: string, address: string): Promise<Person> {
  const row = await keys.find(key);
  const person = row === undefined ? undefined : store.byId(row.person);
  if (row === undefined || person === undefined) {
    return limits.guard("token", { address, subject: undefined }, () => {
      throw new AppError("login_failed");
    });
  }
  const { role, grants } = rightsOf(row, person);
  return known(person, { kind: "key", id: row.id }, factors, role, grants);
}

async function byCookie({ auth, store, factors }: PeopleDoors, cookie: string): Promise<Person | undefined> {
  const found = await auth.api.getSession({
    headers: new Headers({ cookie }),
    query: { disableRefresh: true, disableCookieCache: true },
  });
  const person = found === null ? undefined : store.byId(found.user.id);
  if (found === null || person === undefined) return undefined;
  const grants = new Map(person.grants.map(({ vault, role }) => [vault, role]));
  return known(person, { kind: "cookie", id: found.session.id }, factors, person.role ?? undefined, grants);
}

function known(
  { id, name, hasFactor }: PersonRow,
  credential: Credential,
  factors: SecondFactors,
  role: Person["role"],
  grants: Person["grants"],
): Person {
  const factorAt = factors.givenAt(credential);
  const person: Person = { kind: "person", id, name, role, grants, hasFactor, factorAt, via: credential.kind };
  CREDENTIALS.set(person, credential);
  return person;
}
