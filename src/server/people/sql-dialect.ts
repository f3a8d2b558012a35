// better-auth over the server's own database connection, through Kysely's SQLite dialect. One connection for all: a second one
// would wait for the first one's transactions on the thread that has to end them. better-auth is told that there are no
// transactions (auth.ts), so each of its statements is one by itself and none of ours is ever inside of theirs.

import { SqliteDialect } from "kysely";
import type { Database, SqlValue } from "../../vault/database.ts";

export function dialectOf(database: Database): SqliteDialect {
  return new SqliteDialect({
    database: {
      close: () => undefined,
      prepare: (sql) => ({
        reader: database.givesRows(sql),
        all: (values) => database.all(sql, ...(values as readonly SqlValue[])),
        run: (values) => database.run(sql, ...(values as readonly SqlValue[])),
        iterate: () => {
          throw new Error("nobody asks for rows one by one");
        },
      }),
    },
  });
}
