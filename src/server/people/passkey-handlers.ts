// What the routes of passkeys do. Wrong answers are counted and delayed as wrong passwords are; who gave one is in the audit trail.

import { AppError } from "../../core/errors.ts";
import type { PASSKEY_ROUTES } from "../../wire/v4/api/passkey-routes.ts";
import type { Handlers } from "../http/call.ts";
import { ADDRESS_HEADER } from "./auth.ts";
import { type AnyCall, type AuthParts, personOf, requirePage, takeCookies } from "./auth-handlers.ts";
import { credentialOf } from "./authenticate.ts";
import { isTheirs, requirePerson, whosePerson } from "./own-handlers.ts";
import { type StoredPasskey, shownPasskey } from "./passkey-store.ts";
import { type Passkeys, placeOfPasskeys } from "./passkeys.ts";

export type PasskeyParts = AuthParts & { readonly passkeys: Passkeys };

export function passkeyHandlers(parts: PasskeyParts): Handlers<typeof PASSKEY_ROUTES> {
  const { auth, passkeys, passwords, store, factors, limits, notes, origins } = parts;
  const placeOf = ({ request }: AnyCall) => placeOfPasskeys(request.headers.origin, origins);

  /** `by`: whose it must be; anybody's, if undefined. */
  const confirmed = (call: AnyCall, given: Parameters<Passkeys["confirm"]>[1], by: string | undefined) => {
    const place = placeOf(call);
    const person = passkeys.store.byCredential(given.id)?.person;
    notes.add(call.request, { person: by ?? person });
    return limits.guard("passkey", { address: call.address, subject: by ?? person }, async () => {
      if (by !== undefined && by !== person) throw new AppError("login_failed");
      return passkeys.confirm(place, given);
    });
  };

  const theirs = (call: AnyCall, id: string): StoredPasskey => {
    const passkey = passkeys.store.byId(id);
    if (passkey !== undefined && isTheirs(call.principal, passkey.person)) return passkey;
    throw new AppError("not_found", { context: { what: "This passkey" } });
  };

  return {
    passkeyQuestion(call) {
      notes.add(call.request, { isUneventful: true });
      return passkeys.question(placeOf(call));
    },

    async passkeySignIn(call) {
      const { credential, rememberMe } = call.body;
      const { person, id } = await confirmed(call, credential, undefined);
      notes.add(call.request, { subject: id });
      const headers = new Headers({
        "user-agent": (call.request.headers["user-agent"] ?? "").slice(0, 200),
        [ADDRESS_HEADER]: call.address,
      });
      const body = { person, rememberMe: rememberMe ?? true };
      const response = await auth.api.signInByPasskey({ body, headers, asResponse: true });
      if (!response.ok) throw new AppError("login_failed");
      takeCookies(call, response);
      return undefined;
    },

    async passkeyFactor(call) {
      const own = requirePerson(call.principal);
      await confirmed(call, call.body.credential, own.id);
      return { freshUntil: factors.freshen(credentialOf(own)) };
    },

    passkeys({ principal, query }) {
      return { passkeys: passkeys.store.list(whosePerson(store, principal, query.person)).map(shownPasskey) };
    },

    async passkeyWish(call) {
      requirePage(call);
      const place = placeOf(call);
      const person = store.known(personOf(call).id);
      const by = { address: call.address, subject: person.email };
      await limits.guard("password", by, () => passwords.check(person.email, call.body.password));
      return passkeys.wish(place, person, credentialOf(requirePerson(call.principal)).id);
    },

    async addPasskey(call) {
      requirePage(call);
      const own = requirePerson(call.principal);
      const { name, credential: made } = call.body;
      const wish = { person: own.id, signIn: credentialOf(own).id, name, made };
      const by = { address: call.address, subject: own.id };
      const place = placeOf(call);
      const passkey = await limits.guard("passkey", by, () => passkeys.add(place, wish));
      notes.add(call.request, { subject: passkey.id });
      call.reply.status = 201;
      return passkey;
    },

    renamePasskey(call) {
      const { id } = theirs(call, call.params.id);
      passkeys.store.rename(id, call.body.name);
      return shownPasskey(passkeys.store.byId(id)!);
    },

    dropPasskey(call) {
      passkeys.store.drop(theirs(call, call.params.id).id);
      return undefined;
    },
  };
}
