// How the server is: for people in some detail, for monitors in one word.

import { statfs } from "node:fs/promises";
import { AppError } from "../../core/errors.ts";
import type { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import type { Handlers } from "../http/call.ts";
import type { Principal } from "../http/principal.ts";
import type { ServerKit } from "../kit.ts";
import { serverTroubles } from "../troubles.ts";
import { visibleVaults } from "../visible-vaults.ts";
import type { PeopleParts } from "./people-part.ts";

type Routes = Pick<typeof PEOPLE_ROUTES, "status" | "setupLink" | "stopServer" | "live" | "ready">;

export function statusHandlers(parts: PeopleParts): Handlers<Routes> {
  const { clock, kit } = parts;
  const startedAt = clock.now();
  const startedMs = clock.monotonic();
  return {
    async status({ principal }) {
      const disk = await diskOf(kit);
      const { rss, heapUsed } = process.memoryUsage();
      return {
        version: parts.version,
        startedAt,
        uptimeMs: Math.round(clock.monotonic() - startedMs),
        vaults: kit.vaults.list().length,
        connections: kit.connections(),
        disk,
        memory: { residentBytes: rss, heapBytes: heapUsed },
        troubles: serverTroubles(visibleVaults(kit, principal), disk),
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
    async ready({ principal }) {
      if (kit.stopping.aborted) throw new AppError("server_stopping");
      const seen = new Set(visibleVaults(kit, principal).map(({ name }) => name));
      const troubles = serverTroubles(kit.vaults.list(), await diskOf(kit)).map(({ vault, code, mend }) => {
        const isSeen = vault === null || seen.has(vault);
        return { vault: isSeen ? vault : null, code, mend: isSeen ? mend : "Ask who runs this server." };
      });
      return { status: troubles.length === 0 ? ("ready" as const) : ("degraded" as const), troubles };
    },
  };
}

async function diskOf({ settings }: ServerKit) {
  const { bsize, blocks, bavail } = await statfs(settings.data);
  return { totalBytes: bsize * blocks, freeBytes: bsize * bavail, reserveBytes: settings.reserveBytes };
}

/** Whoever may start the server may stop it, and nobody from afar. */
function requireMachine(principal: Principal): void {
  if (principal.kind === "machine") return;
  throw new AppError("forbidden", { context: { caller: "a call from afar", needed: "the server's local socket" } });
}
