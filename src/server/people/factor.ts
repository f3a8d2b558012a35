// The second factor outside of sign-in: checks a code of the authenticator (RFC 6238) against the secret that better-auth keeps
// sealed, takes each code once, and remembers for whom the factor is fresh. For sign-ins that stands in the session's row; for API
// keys in memory.

import { createOTP } from "@better-auth/utils/otp";
import { symmetricDecrypt } from "better-auth/crypto";
import type { Clock } from "../../core/clock.ts";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import type { Database } from "../../vault/database.ts";
import type { Parts } from "../store-parts.ts";
import type { Auth } from "./auth.ts";

export const FRESH_MS = LIMITS.secondFactorMinutes.value * 60_000;
/** A code is taken in its own half minute, the one before and the one after. */
const CODE_LIVES_MS = 120_000;

export type Credential = { readonly kind: "cookie" | "key"; readonly id: string };

export class SecondFactors {
  readonly #auth: Auth;
  readonly #database: Database;
  readonly #clock: Clock;
  /** Person and code → until when it must not be taken again. */
  readonly #used = new Map<string, number>();
  readonly #freshKeys = new Map<string, number>();

  constructor({ auth, database, clock }: Parts<"database" | "clock"> & { readonly auth: Auth }) {
    this.#auth = auth;
    this.#database = database;
    this.#clock = clock;
  }

  /** Throws `factor_wrong`: wrong, used before, or there is no authenticator. */
  async check(person: string, code: string): Promise<void> {
    const sql = "SELECT secret FROM person_factor WHERE userId = ? AND verified = 1";
    this.requireUnspent(person, code);
    const row = this.#database.get<{ secret: string }>(sql, person);
    if (row === undefined) throw new AppError("factor_wrong");
    const { secretConfig } = await this.#auth.$context;
    const secret = await symmetricDecrypt({ key: secretConfig, data: row.secret });
    if (!(await createOTP(secret, { digits: 6, period: 30 }).verify(code))) throw new AppError("factor_wrong");
    this.spend(person, code);
  }

  /** Throws `factor_wrong` for a code that was taken before. */
  requireUnspent(person: string, code: string): void {
    const now = this.#clock.now();
    for (const [key, until] of this.#used) {
      if (until > now) break;
      this.#used.delete(key);
    }
    if (this.#used.has(`${person} ${code}`)) throw new AppError("factor_wrong");
  }

  /** Takes a code that was right out of use. Of two calls with it at one time, one throws `factor_wrong`. */
  spend(person: string, code: string): void {
    this.requireUnspent(person, code);
    this.#used.set(`${person} ${code}`, this.#clock.now() + CODE_LIVES_MS);
  }

  /** Answers until when it is fresh. */
  freshen(credential: Credential): number {
    const now = this.#clock.now();
    if (credential.kind === "cookie") {
      this.#database.run("UPDATE person_session SET factorAt = ? WHERE id = ?", now, credential.id);
    } else {
      for (const [key, at] of this.#freshKeys) if (now - at > FRESH_MS) this.#freshKeys.delete(key);
      this.#freshKeys.set(credential.id, now);
    }
    return now + FRESH_MS;
  }

  givenAt({ kind, id }: Credential): number | undefined {
    if (kind === "key") return this.#freshKeys.get(id);
    const sql = "SELECT factorAt FROM person_session WHERE id = ?";
    return this.#database.get<{ factorAt: number | null }>(sql, id)?.factorAt ?? undefined;
  }
}
