// Makes the index of a vault look as if many millions of chunks were stored: rows straight into SQLite, no packs behind them.

import { Database } from "../../src/vault/database.ts";
import { pseudoRandomBytes } from "../../tests/pseudo-random.ts";

const CHUNKS_PER_BLOCK = 8;
const ROWS_PER_INSERT = 50;
const ROWS_PER_TRANSACTION = 250_000;

/** The id of row i: rising with i, since rows in order are written ten times faster, and as random as an id is behind that. */
export function chunkIdOf(i: number, count: number): Uint8Array {
  const id = pseudoRandomBytes(i + 1, 32);
  const prefix = Math.floor((i / count) * 2 ** 32);
  new DataView(id.buffer).setUint32(0, prefix);
  new DataView(id.buffer).setUint32(4, i);
  return id;
}

/** Adds `count` chunks in one pack that does not exist, of one device. Answers the size of the index in bytes. */
export function fillIndex(indexPath: string, device: Uint8Array, count: number): number {
  const database = new Database(indexPath);
  const blocks = Math.ceil(count / CHUNKS_PER_BLOCK);
  const [session, pack] = database.transaction(() => [
    database.run("INSERT INTO sessions (sessionId, deviceId) VALUES (randomblob(16), ?)", device).lastInsertRowid,
    database.run("INSERT INTO packs (packId, sizeBytes, acceptedAt) VALUES (randomblob(32), 0, 0)").lastInsertRowid,
  ]);
  const first = Number(database.get("SELECT value FROM meta WHERE name = 'nextBlockNo'")!.value);
  database.transaction(() => {
    database.run(
      `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
       INSERT INTO blocks (blockNo, pack, offset, length, kind, session, counter, blockId, state, verifiedAt)
       SELECT ?2 + i, ?3, i * 4096, 4096, 1, ?4, i, randomblob(32), 0, 0 FROM n`,
      blocks,
      first,
      pack!,
      session!,
    );
    database.run("UPDATE meta SET value = ? WHERE name = 'nextBlockNo'", first + blocks);
  });
  const rows = (many: number) => `INSERT INTO chunks VALUES ${Array(many).fill("(?, ?)").join(", ")}`;
  for (let from = 0; from < count; from += ROWS_PER_TRANSACTION) {
    database.transaction(() => {
      const to = Math.min(count, from + ROWS_PER_TRANSACTION);
      for (let i = from; i < to; i += ROWS_PER_INSERT) {
        const many = Math.min(ROWS_PER_INSERT, to - i);
        const values: (Uint8Array | number)[] = [];
        // Neighbours by id lie in blocks far apart, as in a real index.
        for (let k = i; k < i + many; k++) values.push(chunkIdOf(k, count), first + ((k * 7919) % blocks));
        database.run(rows(many), ...values);
      }
    });
  }
  const size = database.sizeBytes();
  database.close();
  return size;
}
