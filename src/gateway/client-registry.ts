// Who may upload: ids, names and public keys of the clients of protocol 3, in a small database. No file key is ever kept. An id is
// all that a client of protocol 3 has to show, so ids are as good as passwords: they are in no log and in no error.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fromHex, toHex } from "../core/bytes.ts";
import type { Clock, RandomSource } from "../core/clock.ts";
import { LIMITS } from "../core/config-schema.ts";
import { checkLabel } from "../core/filename.ts";
import type { V3ClientId } from "../core/ids.ts";
import { Database } from "../vault/database.ts";
import { V3_BYTES } from "../wire/v3/messages.ts";
import { isLegacyPublicKey } from "./legacy-crypto.ts";

export const USER_NAME_MAX_BYTES = 100;

export type RegisteredClient = {
  readonly id: V3ClientId;
  readonly user: string;
  readonly publicKey: Uint8Array | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly registeredAt: number;
  readonly lastSeenAt: number;
  /** When a file was last stored; undefined: not since this is kept. */
  readonly lastUploadAt: number | undefined;
  /** From when on it is refused. */
  readonly retireAt: number | undefined;
};

export type ImportedClient = Pick<RegisteredClient, "id" | "user" | "publicKey"> & {
  readonly lastSeenAt: number | undefined;
};

export type ImportOutcome = {
  readonly imported: number;
  /** Known already, under the same id and name. */
  readonly present: number;
  /** Not taken: another client has the id or the name, or the name or key is none. */
  readonly refused: readonly { readonly user: string; readonly reason: "id_taken" | "name_taken" | "invalid" }[];
};

type ClientRow = {
  id: Uint8Array;
  name: string;
  publicKey: Uint8Array | null;
  registeredAt: number;
  lastSeenAt: number;
  lastUploadAt: number | null;
  retireAt: number | null;
};

const SCHEMA = `CREATE TABLE IF NOT EXISTS clients (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  name TEXT NOT NULL UNIQUE,
  publicKey BLOB,
  registeredAt INTEGER NOT NULL,
  lastSeenAt INTEGER NOT NULL,
  lastUploadAt INTEGER,
  retireAt INTEGER
) STRICT, WITHOUT ROWID`;
/** Databases of earlier versions lack them. */
const LATER_COLUMNS = ["lastUploadAt", "retireAt"];
const INSERT = "INSERT INTO clients (id, name, publicKey, registeredAt, lastSeenAt) VALUES (?, ?, ?, ?, ?)";
const DATABASE_FILE = "gateway.db";

export class ClientRegistry {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #random: RandomSource;

  /** Makes the database where there is none. Throws `io` and `index_corrupt`. */
  constructor(dataDir: string, clock: Clock, random: RandomSource) {
    this.#database = new Database(join(dataDir, DATABASE_FILE));
    this.#database.exec(SCHEMA);
    const columns = this.#database.all<{ name: string }>("SELECT name FROM pragma_table_info('clients')");
    for (const later of LATER_COLUMNS) {
      if (!columns.some(({ name }) => name === later)) {
        this.#database.exec(`ALTER TABLE clients ADD COLUMN ${later} INTEGER`);
      }
    }
    this.#clock = clock;
    this.#random = random;
  }

  /** The new client, or why there is none. The name has passed `isUserName`. */
  register(user: string): RegisteredClient | "taken" | "full" {
    return this.#database.transaction(() => {
      if (this.byName(user)) return "taken";
      if (this.#count() >= LIMITS.gatewayClients.value) return "full";
      const id = this.#random.bytes(V3_BYTES.id);
      const now = this.#clock.now();
      this.#database.run(INSERT, id, user, null, now, now);
      return this.byId(toHex(id) as V3ClientId)!;
    });
  }

  byId(id: V3ClientId): RegisteredClient | undefined {
    const row = this.#database.get<ClientRow>("SELECT * FROM clients WHERE id = ?", fromHex(id));
    return row && clientOf(row);
  }

  byName(user: string): RegisteredClient | undefined {
    const row = this.#database.get<ClientRow>("SELECT * FROM clients WHERE name = ?", user);
    return row && clientOf(row);
  }

  all(): RegisteredClient[] {
    return this.#database.all<ClientRow>("SELECT * FROM clients ORDER BY name").map(clientOf);
  }

  setKey(id: V3ClientId, publicKey: Uint8Array): void {
    this.#database.run("UPDATE clients SET publicKey = ? WHERE id = ?", publicKey, fromHex(id));
  }

  sawNow(id: V3ClientId): void {
    this.#database.softTransaction(() =>
      this.#database.run("UPDATE clients SET lastSeenAt = ? WHERE id = ?", this.#clock.now(), fromHex(id)),
    );
  }

  storedNow(id: V3ClientId): void {
    this.#database.softTransaction(() =>
      this.#database.run("UPDATE clients SET lastUploadAt = ? WHERE id = ?", this.#clock.now(), fromHex(id)),
    );
  }

  /** Refuses the client from that moment on; undefined takes that back. False when there is no such name. */
  retire(user: string, at: number | undefined): boolean {
    return this.#database.run("UPDATE clients SET retireAt = ? WHERE name = ?", at ?? null, user).changes > 0;
  }

  /** Forgets the key, so that the client may send another one. False when there is no such name. */
  resetKey(user: string): boolean {
    return this.#database.run("UPDATE clients SET publicKey = NULL WHERE name = ?", user).changes > 0;
  }

  /** Frees the name. False when there is no such name. */
  remove(user: string): boolean {
    return this.#database.run("DELETE FROM clients WHERE name = ?", user).changes > 0;
  }

  /** Takes over clients of an old server. Nothing that is here already is changed. */
  takeOver(clients: readonly ImportedClient[]): ImportOutcome {
    const refused: ImportOutcome["refused"][number][] = [];
    let imported = 0;
    let present = 0;
    this.#database.transaction(() => {
      for (const { id, user, publicKey, lastSeenAt } of clients) {
        const [sameId, sameName] = [this.byId(id), this.byName(user)];
        if (sameId && sameId.user === user) present++;
        else if (sameId) refused.push({ user, reason: "id_taken" });
        else if (sameName) refused.push({ user, reason: "name_taken" });
        else if (!isUserName(user) || (publicKey && !isLegacyPublicKey(publicKey)))
          refused.push({ user, reason: "invalid" });
        else {
          const [now, seen] = [this.#clock.now(), lastSeenAt ?? 0];
          const values = [fromHex(id), user, publicKey ?? null, now, seen] as const;
          this.#database.run(INSERT, ...values);
          imported++;
        }
      }
    });
    return { imported, present, refused };
  }

  close(): void {
    this.#database.close();
  }

  #count(): number {
    return this.#database.get<{ n: number }>("SELECT count(*) AS n FROM clients")!.n;
  }
}

/** Clients that are registered in a gateway's data folder; changes nothing there, and takes a folder without any for 0. */
export function countClients(dataDir: string): number {
  const path = join(dataDir, DATABASE_FILE);
  if (!existsSync(path)) return 0;
  const database = new Database(path);
  try {
    return database.get<{ n: number }>("SELECT count(*) AS n FROM clients")?.n ?? 0;
  } finally {
    database.close();
  }
}

/** 1 to 100 bytes of UTF-8 that a person can read in one line. */
export function isUserName(user: string): boolean {
  return checkLabel(user, USER_NAME_MAX_BYTES) === undefined;
}

function clientOf({ id, name, publicKey, lastUploadAt, retireAt, ...row }: ClientRow): RegisteredClient {
  return {
    registeredAt: row.registeredAt,
    lastSeenAt: row.lastSeenAt,
    id: toHex(id) as V3ClientId,
    user: name,
    publicKey: publicKey ?? undefined,
    lastUploadAt: lastUploadAt ?? undefined,
    retireAt: retireAt ?? undefined,
  };
}
