import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { getMigrations } from "better-auth/db/migration";
import { systemClock, systemRandom } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import { openServerDatabase } from "../database.ts";
import { authOptions } from "./auth.ts";
import { PEOPLE_MIGRATIONS } from "./schema.ts";

test("better-auth finds the tables as it wants them, and would miss a column", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cb-schema-"));
  const database = openServerDatabase(join(folder, "server.db"), [PEOPLE_MIGRATIONS]);
  try {
    const options = authOptions({
      database,
      secret: "x".repeat(43),
      isSecure: true,
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
    });
    const missing = async (): Promise<string[]> => {
      const { toBeCreated, toBeAdded, toBeAddedIndexes, schemaProblems } = await getMigrations(options);
      return [...toBeCreated, ...toBeAdded, ...toBeAddedIndexes].map(({ table }) => table).concat(schemaProblems);
    };
    assert.deepEqual(await missing(), []);
    database.exec("ALTER TABLE person_session DROP COLUMN factorAt");
    assert.notDeepEqual(await missing(), []);
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
});
