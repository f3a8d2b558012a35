// What the routes of people do, once the caller's right to call them has been checked. Accounts and roles here; what a person does
// with their own keys and sign-ins is in own-handlers.ts, the state of the server in status-handlers.ts.

import { AppError } from "../../core/errors.ts";
import type { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import type { Call, Handlers } from "../http/call.ts";
import { roleOf } from "../http/principal.ts";
import { requireMayGive } from "./may-give.ts";
import { ownHandlers } from "./own-handlers.ts";
import type { PeopleParts } from "./people-part.ts";
import { statusHandlers } from "./status-handlers.ts";

export function peopleHandlers(parts: PeopleParts): Handlers<typeof PEOPLE_ROUTES> {
  const { kit, store, links, passwords, limits, notes, audit, database } = parts;

  /** A link for a person who is there, or for the first owner. */
  async function setupByLink(call: Call<typeof PEOPLE_ROUTES.setup>, token: string) {
    const { email, name, password } = call.body;
    return limits.guard("setup", { address: call.address, subject: undefined }, async () => {
      const id = links.find(token);
      if (id === null) return firstOwner(call, () => links.use(token));
      const person = store.known(id);
      if (email !== undefined && email !== person.email) throw new AppError("setup_invalid");
      const passwordHash = await passwords.hash(password, person);
      return database.transaction(() => {
        links.use(token);
        store.setPassword(id, passwordHash);
        return name === undefined ? store.known(id) : store.edit(id, { name });
      });
    });
  }

  async function firstOwner({ body }: Call<typeof PEOPLE_ROUTES.setup>, use: () => void) {
    const { email, name, password } = body;
    if (email === undefined) throw new AppError("request_invalid", { context: { detail: "email: is missing" } });
    const passwordHash = await passwords.hash(password, { email });
    return database.transaction(() => {
      use();
      if (store.hasOwner()) throw new AppError("setup_invalid");
      links.endFirstOwner();
      return store.add({ email, name: name ?? email.split("@")[0]!, role: "owner", grants: [], passwordHash });
    });
  }

  return {
    ...ownHandlers(parts),
    ...statusHandlers(parts),

    async setup(call) {
      const { token } = call.body;
      if (token === undefined && call.principal.kind !== "machine") throw new AppError("setup_invalid");
      const person = token === undefined ? await firstOwner(call, () => undefined) : await setupByLink(call, token);
      notes.add(call.request, { person: person.id, subject: person.id });
      return person;
    },

    people({ query: { limit, after } }) {
      const items = store.list(limit, after);
      return { items, next: items.length < limit ? null : items.at(-1)!.id };
    },

    async addPerson(call) {
      const { email, name, role, grants, password } = call.body;
      const passwordHash = password === undefined ? undefined : await passwords.hash(password, { email });
      const person = store.add({ email, name, role, grants, passwordHash });
      notes.add(call.request, { subject: person.id });
      call.reply.status = 201;
      return { person, link: passwordHash === undefined ? links.make(person.id) : null };
    },

    person({ params }) {
      return store.known(params.id);
    },

    editPerson({ params, body }) {
      const person = store.edit(params.id, body);
      kit.running.cutPerson(params.id);
      return person;
    },

    removePerson({ params }) {
      store.remove(params.id);
      kit.running.cutPerson(params.id);
      return undefined;
    },

    personLink({ params }) {
      store.known(params.id);
      return links.make(params.id);
    },

    dropFactor({ params }) {
      store.dropFactor(params.id);
      kit.running.cutPerson(params.id);
      return undefined;
    },

    grants({ vault }) {
      return { grants: store.grantsOf(vault.id).map((grant) => ({ ...grant })) };
    },

    setGrant({ params, body, vault, principal }) {
      requireMayGive(roleOf(principal, vault.id), body.role);
      store.setGrant(params.id, vault.id, body.role);
      kit.running.cutPerson(params.id);
      return undefined;
    },

    dropGrant({ params, vault }) {
      store.dropGrant(params.id, vault.id);
      kit.running.cutPerson(params.id);
      return undefined;
    },

    audit({ query: { limit, after, person, action, vault } }) {
      return page(audit.list({ limit, after: cursorOf(after), person, action, vault }), limit);
    },

    vaultAudit({ query: { limit, after }, vault }) {
      return page(audit.list({ limit, after: cursorOf(after), vault: vault.id }), limit);
    },
  };
}

function page<T extends { id: number }>(items: T[], limit: number): { items: T[]; next: string | null } {
  return { items, next: items.length < limit ? null : String(items.at(-1)!.id) };
}

function cursorOf(after: string | undefined): number | undefined {
  if (after === undefined) return undefined;
  if (!/^\d{1,15}$/.test(after)) throw new AppError("request_invalid", { context: { detail: "after: not a cursor" } });
  return Number(after);
}
