// Checks and makes passwords: scrypt by better-auth, behind a gate, in the same time whether there is such an account or not.

import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import { Gate } from "../limits/gate.ts";
import type { Auth } from "./auth.ts";
import type { PeopleStore, PersonRow } from "./store.ts";

const MOST_CHARACTERS = 256;

export class Passwords {
  readonly #auth: Auth;
  readonly #store: PeopleStore;
  /** Two at once are 64 MiB. */
  readonly gate = new Gate({ atOnce: 2, mostWaiting: 64 });

  constructor({ auth, store }: { auth: Auth; store: PeopleStore }) {
    this.#auth = auth;
    this.#store = store;
  }

  /** Throws `login_failed`, `too_many_requests`. */
  async check(email: string, password: string): Promise<PersonRow> {
    const { password: scrypt } = await this.#auth.$context;
    const person = this.#store.byEmail(email);
    const hash = person === undefined ? undefined : this.#store.passwordHash(person.id);
    const isRight = await this.gate.run(async () => {
      if (hash !== undefined) return scrypt.verify({ hash, password });
      await scrypt.hash(password);
      return false;
    });
    // The account may have been removed, or given another password, while scrypt ran.
    const now = isRight && person !== undefined ? this.#store.byId(person.id) : undefined;
    if (now === undefined || this.#store.passwordHash(now.id) !== hash) throw new AppError("login_failed");
    return now;
  }

  /** Throws `password_unfit`, `too_many_requests`. */
  async hash(password: string, about: { email: string }): Promise<string> {
    requireFit(password, about.email);
    const { password: scrypt } = await this.#auth.$context;
    return this.gate.run(() => scrypt.hash(password));
  }
}

/** Long enough, and not what everybody would try first. Throws `password_unfit`. */
export function requireFit(password: string, email: string): void {
  const least = LIMITS.passwordLength.value;
  const characters = [...password.normalize("NFKC")].length;
  if (characters < least) unfit(`it has fewer than ${least} characters`);
  if (characters > MOST_CHARACTERS) unfit(`it has more than ${MOST_CHARACTERS} characters`);
  if (new Set(password).size < 4) unfit("it is the same few characters over and over");
  const plain = password.toLowerCase();
  if (plain === email || plain === email.split("@")[0]) unfit("it is the e-mail address");
}

function unfit(detail: string): never {
  throw new AppError("password_unfit", { context: { detail } });
}
