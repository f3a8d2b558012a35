import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { systemClock } from "../core/clock.ts";
import { type ErrorCode, isAppError } from "../core/errors.ts";
import { type Checkpoints, checkpointThread } from "./checkpoints.ts";
import { Database } from "./database.ts";
import { requireUnlocked, withLock } from "./locks.ts";
import { BLOCK_DROPPED, migrate, SCHEMA_VERSION, STATE_IS, userVersion } from "./schema.ts";

const folder = mkdtempSync(join(tmpdir(), "cb-db-"));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = (): string => join(folder, `${files++}.db`);
const code = (expected: ErrorCode) => (error: unknown) => isAppError(error, expected);

describe("the database", () => {
  test("rolls back what throws, also in beforeCommit, and goes on", () => {
    let fail = false;
    const beforeCommit = () => {
      if (fail) throw new Error("stopped");
    };
    const database = new Database(newPath(), { beforeCommit });
    database.exec("CREATE TABLE t (x)");
    const insert = () => database.transaction(() => database.run("INSERT INTO t VALUES (1)"));
    const count = () => database.get("SELECT count(*) AS n FROM t")!.n;
    insert();
    fail = true;
    assert.throws(insert, /stopped/);
    assert.equal(count(), 1);
    fail = false;
    assert.throws(() =>
      database.transaction(() => {
        insert();
        throw new Error("later");
      }),
    );
    assert.equal(count(), 1);
    database.softTransaction(insert);
    assert.equal(count(), 2);
    assert.equal(database.get("PRAGMA synchronous")!.synchronous, 2);
    database.close();
  });

  test("waits for the disk beside this thread, for several at a time, and says when it cannot", async () => {
    const path = newPath();
    const database = new Database(path);
    database.exec("CREATE TABLE t (x)");
    const insert = (x: number) => database.durably(() => database.run("INSERT INTO t VALUES (?)", x).lastInsertRowid);
    const first = insert(1);
    assert.equal(database.get("SELECT count(*) AS n FROM t")!.n, 1, "it is done before it is safe");
    assert.deepEqual(await Promise.all([first, insert(2), insert(3)]), [1, 2, 3]);
    assert.equal(database.flush(), database.flush());
    await database.flush();
    assert.equal(database.get("PRAGMA synchronous")!.synchronous, 2);
    const late = database.flush();
    database.close();
    await assert.rejects(late, code("io"));
    await assert.rejects(insert(4));

    const other = new Database(":memory:");
    assert.equal(await other.durably(() => 7), 7);
    await other.flush();
    other.close();
  });

  test("is copied as it is, while transactions come and go", async () => {
    const database = new Database(newPath());
    database.exec("CREATE TABLE t (x BLOB)");
    const insert = (count: number): void => {
      database.softTransaction(() => {
        for (let i = 0; i < count; i++) database.run("INSERT INTO t VALUES (?)", new Uint8Array(4000));
      });
    };
    insert(6000);
    let isOver = false;
    let steps = 0;
    const copied = newPath();
    const copying = database.copyTo(copied, { onProgress: () => steps++ }).finally(() => {
      isOver = true;
    });
    let more = 0;
    for (; !isOver && more < 10_000; more++) {
      insert(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await copying;
    assert.ok(more > 1 && steps > 1, `${more} transactions, ${steps} steps`);
    const copy = new Database(copied);
    assert.equal(copy.get("SELECT count(*) AS n FROM t")!.n, 6000);
    copy.close();
    const cancel = new AbortController();
    cancel.abort();
    await assert.rejects(database.copyTo(newPath(), { signal: cancel.signal }), code("interrupted"));
    database.close();
  });

  test("another thread writes the log into the database, which then begins anew", async () => {
    const thread = checkpointThread();
    const runs: Promise<void>[] = [];
    const checkpoints: Checkpoints = {
      ...thread,
      run(of) {
        const running = thread.run(of);
        runs.push(running.done);
        return running;
      },
    };
    const path = newPath();
    const database = new Database(path, { checkpoints });
    try {
      database.exec("CREATE TABLE t (x BLOB)");
      const page = new Uint8Array(4000);
      const insert = (): void => {
        database.transaction(() => {
          for (let i = 0; i < 200; i++) database.run("INSERT INTO t VALUES (?)", page);
        });
      };
      for (let i = 0; runs.length === 0 && i < 100; i++) insert();
      assert.equal(runs.length, 1);
      await runs[0];
      insert();
      assert.ok(Number(database.get("PRAGMA wal_checkpoint(NOOP)")!.log) < 1000, "the log began anew");

      for (let i = 0; runs.length === 1 && i < 100; i++) insert();
      assert.equal(runs.length, 2);
      database.close();
      assert.equal(existsSync(`${path}-wal`), false, "nobody else has it open any more");
      const again = new Database(path);
      assert.equal(again.get("PRAGMA integrity_check")!.integrity_check, "ok");
      again.close();
    } finally {
      await thread.close();
    }
  });

  test("says that it is busy, that it is no database, and that it is from a newer program", () => {
    const path = newPath();
    const first = new Database(path);
    const second = new Database(path, { busyTimeoutMs: 10 });
    migrate(first);
    first.transaction(() => {
      assert.throws(() => second.transaction(() => undefined), code("vault_busy"));
    });
    second.transaction(() => undefined);
    first.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    assert.throws(() => migrate(second), code("vault_version"));
    first.close();
    second.close();

    const garbage = newPath();
    writeFileSync(garbage, "this is not a database, however long one looks at it".repeat(100));
    assert.throws(() => new Database(garbage), code("index_corrupt"));
    assert.throws(() => new Database(join(folder, "none", "x.db")), code("io"));
  });

  test("finds the few blocks that are not sound without a look at the others", () => {
    const database = new Database(newPath());
    migrate(database);
    const plan = database.all(`EXPLAIN QUERY PLAN SELECT count(*) FROM blocks WHERE ${STATE_IS}`, BLOCK_DROPPED);
    assert.match(String(plan[0]!.detail), /SEARCH blocks USING .*INDEX blocks_not_ok/);
    database.close();
  });

  test("is migrated once, in one transaction", () => {
    const database = new Database(newPath());
    assert.equal(userVersion(database), 0);
    migrate(database);
    migrate(database);
    assert.equal(userVersion(database), SCHEMA_VERSION);
    database.close();
  });
});

describe("locks", () => {
  const insert = "INSERT INTO locks (name, token, pid, host, since) VALUES ('gc', 'x', ?, ?, 0)";

  test("are taken over from a process that is gone, and from that one only", async () => {
    const database = new Database(newPath());
    migrate(database);
    database.run(insert, 2 ** 22 + 1, hostname());
    assert.equal(await withLock(database, systemClock, "gc", async () => "done"), "done");
    assert.deepEqual(database.all("SELECT * FROM locks"), []);
    for (const [pid, host] of [
      [process.pid, hostname()],
      [2 ** 22 + 1, "another.host"],
    ] as const) {
      database.run(insert, pid, host);
      await assert.rejects(
        withLock(database, systemClock, "gc", async () => "done"),
        code("vault_busy"),
      );
      assert.throws(() => requireUnlocked(database, "gc"), code("vault_busy"));
      database.run("DELETE FROM locks");
    }
    database.close();
  });

  test("are given back when the work fails", async () => {
    const database = new Database(newPath());
    migrate(database);
    await assert.rejects(
      withLock(database, systemClock, "scrub", () => Promise.reject(new Error("no"))),
      /no/,
    );
    requireUnlocked(database, "scrub");
    database.close();
  });
});
