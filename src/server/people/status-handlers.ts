// How the server is: for people in some detail, for monitors in one word.

import { statfs } from "node:fs/promises";
import { AppError } from "../../core/errors.ts";
import type { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import type { Handlers } from "../http/call.ts";
import type { Principal } from "../http/principal.ts";
import type { PeopleParts } from "./people-part.ts";

type Routes = Pick<typeof PEOPLE_ROUTES, "status" | "setupLink" | "stopServer" | "live" | "ready">;

export function statusHandlers(parts: PeopleParts): Handlers<Routes> {
  const { clock, kit } = parts;
  const startedAt = clock.now();
  const startedMs = clock.monotonic();
  return {
    async status() {
      const { bsize, blocks, bavail } = await statfs(kit.settings.data);
      const { rss, heapUsed } = process.memoryUsage();
      return {
        version: parts.version,
        startedAt,
        uptimeMs: Math.round(clock.monotonic() - startedMs),
        vaults: kit.vaults.list().length,
        connections: kit.connections(),
        disk: { totalBytes: bsize * blocks, freeBytes: bsize * bavail, reserveBytes: kit.settings.reserveBytes },
        memory: { residentBytes: rss, heapBytes: heapUsed },
      };
    },
    setupLink({ principal }) {
      requireMachine(principal);
      return { path: kit.setupPath() ?? null };
    },
    stopServer({ principal }) {
      requireMachine(principal);
      kit.askToStop();
    },
    live: () => ({ status: "live" as const }),
    ready() {
      if (kit.stopping.aborted) throw new AppError("server_stopping");
      return { status: "ready" as const };
    },
  };
}

/** Whoever may start the server may stop it, and nobody from afar. */
function requireMachine(principal: Principal): void {
  if (principal.kind === "machine") return;
  throw new AppError("forbidden", { context: { caller: "a call from afar", needed: "the server's local socket" } });
}
