import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import { isAppError } from "../core/errors.ts";
import { readOldDatabase } from "./old-database.ts";

const folder = mkdtempSync(join(tmpdir(), "cb-old-db-"));
after(() => rmSync(folder, { recursive: true }));

const ID = "00112233445566778899aabbccddeeff";
const CLIENTS = "CREATE TABLE clients (ID BLOB(16), Name TEXT, PublicKey BLOB(160), LastSeen TEXT, AESKey BLOB(32))";
const FILES =
  "CREATE TABLE files (ID BLOB(16), FileName TEXT, PathName TEXT, Verified INTEGER, FileSize INTEGER, " +
  "ModificationDate TEXT, CRC INTEGER, ClientID BLOB(16))";

let count = 0;

function makeDatabase(fill: (database: DatabaseSync) => void, options: { leaveOpen?: boolean } = {}): string {
  const path = join(folder, `${count++}.db`);
  const database = new DatabaseSync(path);
  fill(database);
  if (!options.leaveOpen) database.close();
  else after(() => database.close());
  return path;
}

describe("an old server's database", () => {
  test("gives clients and files, and never a session key", async () => {
    const path = makeDatabase((database) => {
      database.exec(`${CLIENTS}; ${FILES}`);
      const id = Buffer.from(ID, "hex");
      database
        .prepare("INSERT INTO clients VALUES (?, 'alice', ?, '2024-03-01T10:00:00+00:00Z', ?)")
        .run(id, new Uint8Array(160).fill(7), new Uint8Array(32).fill(9));
      database
        .prepare("INSERT INTO files VALUES (?, 'a.txt', 'received_files/a.txt', 1, 9, '2024-03-01T10:00:00', ?, ?)")
        .run(new Uint8Array(16), 0xfe42caaf, id);
    });
    const { clients, files } = await readOldDatabase(path);
    const at = Date.UTC(2024, 2, 1, 10);
    assert.deepEqual(clients, [{ id: ID, name: "alice", publicKey: new Uint8Array(160).fill(7), lastSeenAt: at }]);
    assert.deepEqual(files, [{ client: ID, name: "a.txt", sizeBytes: 9, cksum: 0xfe42caaf, modifiedAt: at }]);
  });

  test("may hold ids as text, signed checksums, and only the first columns", async () => {
    const path = makeDatabase((database) => {
      database.exec("CREATE TABLE clients (ID TEXT, Name TEXT)");
      database.exec("CREATE TABLE files (ID TEXT, FileName TEXT, PathName TEXT, Verified INTEGER, crc INTEGER)");
      database.prepare("INSERT INTO clients VALUES (?, 'bob'), ('short', 'x'), (?, NULL)").run(ID.toUpperCase(), ID);
      database.prepare("INSERT INTO files VALUES (?, 'b', 'b', 0, -1), (?, 'c', 'c', 0, 'none')").run(ID, ID);
    });
    const { clients, files } = await readOldDatabase(path);
    assert.deepEqual(
      clients.map(({ id, name }) => [id, name]),
      [[ID, "bob"]],
    );
    assert.deepEqual(
      files.map(({ client, name, cksum }) => [client, name, cksum]),
      [
        [ID, "b", 0xffffffff],
        [ID, "c", undefined],
      ],
    );
  });

  for (const [text, at] of [
    ["2024-03-01 10:00:00", Date.UTC(2024, 2, 1, 10)],
    ["2024-03-01T10:00:00.5", Date.UTC(2024, 2, 1, 10, 0, 0, 500)],
    ["2024-03-01T12:00:00+02:00", Date.UTC(2024, 2, 1, 10)],
    ["2024-03-01T10:00:00Z", Date.UTC(2024, 2, 1, 10)],
    ["2024-03-01", Date.UTC(2024, 2, 1)],
    ["yesterday", undefined],
    ["", undefined],
  ] as const) {
    test(`reads the time ${JSON.stringify(text)}`, async () => {
      const path = makeDatabase((database) => {
        database.exec(`${CLIENTS}; ${FILES}`);
        database.prepare("INSERT INTO files (FileName, ModificationDate) VALUES ('a', ?)").run(text);
      });
      assert.equal((await readOldDatabase(path)).files[0]?.modifiedAt, at);
    });
  }

  test("is read with what its journal still holds, and nothing appears or changes beside it", async () => {
    const path = makeDatabase(
      (database) => {
        database.exec(`PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; ${CLIENTS}; ${FILES}`);
        database.prepare("INSERT INTO clients VALUES (?, 'late', NULL, NULL, NULL)").run(Buffer.from(ID, "hex"));
      },
      { leaveOpen: true },
    );
    const snapshot = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString("hex")]);
    const before = snapshot();
    const { clients } = await readOldDatabase(path);
    assert.deepEqual(
      clients.map(({ name }) => name),
      ["late"],
    );
    assert.deepEqual(snapshot(), before);
  });

  test("that is missing, no database, damaged or another program's is refused", async () => {
    await assert.rejects(readOldDatabase(join(folder, "none")), (error) => isAppError(error, "io"));
    const junk = join(folder, "junk");
    writeFileSync(junk, "not a database, but long enough to be taken for one at first sight".repeat(20));
    const others = makeDatabase((database) => database.exec("CREATE TABLE other (x)"));
    const damaged = makeDatabase((database) => {
      database.exec(`${CLIENTS}; ${FILES}`);
      for (let i = 0; i < 500; i++) database.prepare("INSERT INTO clients (ID, Name) VALUES (?, 'n')").run(`${i}`);
    });
    const bytes = readFileSync(damaged);
    bytes.fill(0xff, 4096 * 3, 4096 * 4);
    writeFileSync(damaged, bytes);
    for (const path of [junk, others, damaged]) {
      await assert.rejects(readOldDatabase(path), (error) => isAppError(error, "v3_file_invalid"), path);
    }
  });
});
