// The log heads that this browser has seen, in IndexedDB: what the rollback check compares with (engine/heads.ts). No secret is in here.

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { HeadMemory } from "../../engine/heads.ts";
import type { LogHead } from "../../wire/v4/vault-port.ts";

interface Schema extends DBSchema {
  heads: { key: string; value: LogHead };
}

const NAME = "cyberbackup-heads";
const VERSION = 1;

let opened: Promise<IDBPDatabase<Schema>> | undefined;

export const browserHeads: HeadMemory = {
  async head(vault) {
    return (await database()).get("heads", vault);
  },

  async saveHead(vault, { seq, id }) {
    await (await database()).put("heads", { seq, id }, vault);
  },
};

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>(NAME, VERSION, {
    upgrade(db) {
      db.createObjectStore("heads");
    },
  });
  return opened;
}
