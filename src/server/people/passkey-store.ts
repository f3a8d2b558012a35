// Passkeys of people, as rows: public keys only.

import { toHex } from "../../core/bytes.ts";
import type { Clock, RandomSource } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { Database } from "../../vault/database.ts";
import type { Passkey } from "../../wire/v4/api/passkey-routes.ts";
import type { StoreParts } from "../store-parts.ts";

export type StoredPasskey = Passkey & {
  /** base64url, as browsers name it. */
  readonly credential: string;
  /** COSE (RFC 9052). */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** Signatures so far, as it counts them; 0 for those that do not. */
  readonly counter: number;
  readonly transports: readonly string[];
};

export type NewPasskey = Omit<StoredPasskey, "id" | "createdAt" | "lastUsedAt">;

const MOST_OF_A_PERSON = 50;

export class PasskeyStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #random: RandomSource;

  constructor({ database, clock, random }: StoreParts) {
    this.#database = database;
    this.#clock = clock;
    this.#random = random;
  }

  /** Throws `limit`, and `request_invalid` for one that is here already. */
  add(made: NewPasskey): StoredPasskey {
    return this.#database.transaction(() => {
      if (this.list(made.person).length >= MOST_OF_A_PERSON) {
        throw new AppError("limit", { context: { what: "The number of passkeys", limit: MOST_OF_A_PERSON } });
      }
      if (this.byCredential(made.credential) !== undefined) {
        throw new AppError("request_invalid", { context: { detail: "this passkey is here already" } });
      }
      const id = toHex(this.#random.bytes(16));
      this.#database.run(
        `INSERT INTO person_passkey (id, person, credential, host, publicKey, counter, transports, name, isSynced, createdAt)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        made.person,
        made.credential,
        made.host,
        made.publicKey,
        made.counter,
        made.transports.join(" "),
        made.name,
        made.isSynced ? 1 : 0,
        this.#clock.now(),
      );
      return this.byId(id)!;
    });
  }

  byId(id: string): StoredPasskey | undefined {
    return this.#one("id", id);
  }

  byCredential(credential: string): StoredPasskey | undefined {
    return this.#one("credential", credential);
  }

  /** Oldest first. */
  list(person: string): StoredPasskey[] {
    const sql = "SELECT * FROM person_passkey WHERE person = ? ORDER BY createdAt, id";
    return this.#database.all<Row>(sql, person).map(whole);
  }

  rename(id: string, name: string): void {
    this.#database.run("UPDATE person_passkey SET name = ? WHERE id = ?", name, id);
  }

  drop(id: string): void {
    this.#database.run("DELETE FROM person_passkey WHERE id = ?", id);
  }

  /** It has signed. False when it was taken off meanwhile. */
  used(id: string, { counter, isSynced }: Pick<StoredPasskey, "counter" | "isSynced">): boolean {
    const sql = "UPDATE person_passkey SET counter = ?, isSynced = ?, lastUsedAt = ? WHERE id = ?";
    return this.#database.run(sql, counter, isSynced ? 1 : 0, this.#clock.now(), id).changes > 0;
  }

  #one(column: "id" | "credential", value: string): StoredPasskey | undefined {
    const row = this.#database.get<Row>(`SELECT * FROM person_passkey WHERE ${column} = ?`, value);
    return row === undefined ? undefined : whole(row);
  }
}

/** What may be told of one. */
export function shownPasskey({ id, person, name, host, isSynced, createdAt, lastUsedAt }: StoredPasskey): Passkey {
  return { id, person, name, host, isSynced, createdAt, lastUsedAt };
}

type Row = Omit<StoredPasskey, "isSynced" | "transports"> & { readonly isSynced: number; readonly transports: string };

function whole({ isSynced, transports, publicKey, ...row }: Row): StoredPasskey {
  return {
    ...row,
    publicKey: new Uint8Array(publicKey),
    isSynced: isSynced === 1,
    transports: transports.split(" ").filter(Boolean),
  };
}
