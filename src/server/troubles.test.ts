// What keeps a server from taking backups, in words for people.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type ErrorCode } from "../core/errors.ts";
import type { VaultId } from "../core/ids.ts";
import { serverTroubles, vaultTrouble } from "./troubles.ts";
import { ServedVault } from "./vaults.ts";

const ROOM = { freeBytes: 2 ** 30, reserveBytes: 2 ** 20 };

test("a disk below its reserve is a trouble of the whole server, and a vault's names the vault", () => {
  const vaults = [broken("vault_busy", { holder: "a rebuild" })];
  assert.deepEqual(serverTroubles([], ROOM), []);
  assert.deepEqual(
    serverTroubles(vaults, { ...ROOM, freeBytes: 2 ** 19 }).map(({ vault, code }) => [vault, code]),
    [
      [null, "server_full"],
      ["home", "vault_busy"],
    ],
  );
});

test("what mends it is said for the server's machine, and no path leaves it", () => {
  for (const code of ["vault_not_found", "index_corrupt", "index_refused", "io", "internal", "disk_full"] as const) {
    const { message, mend } = vaultTrouble(broken(code, { path: "/srv/secret", detail: "at /srv/secret" }))!;
    assert.doesNotMatch(`${message} ${mend}`, /secret|[{}]|init --vault/, code);
    assert.ok(mend.length > 10);
  }
  assert.match(vaultTrouble(broken("index_corrupt", { detail: "" }))!.mend, /server run rebuild --name home/);
});

function broken(code: ErrorCode, context: Record<string, string>): ServedVault {
  return new ServedVault("a1".repeat(16) as VaultId, "home", "/srv/secret", new AppError(code, { context }));
}
