// What a device does in its own sessions: ask, store, commit. Nothing here takes anything away from a vault.

import { AppError } from "../../core/errors.ts";
import type { DeviceId, SessionId } from "../../core/ids.ts";
import { deviceOfSession, openSessions } from "../../vault/server-queries.ts";
import { encodeFound } from "../../wire/v4/api/chunk-answers.ts";
import { API_LIMITS, type DEVICE_ROUTES } from "../../wire/v4/api/device-routes.ts";
import { admitSession } from "../admit-session.ts";
import type { Handlers } from "../http/call.ts";
import type { Principal } from "../http/principal.ts";
import type { ServerKit } from "../kit.ts";
import type { ServedVault } from "../vaults.ts";
import { requireChunkIds } from "./chunk-ids.ts";
import { PerDevice } from "./limits.ts";

type SessionRoute = "openSession" | "renewSession" | "closeSession" | "findChunks" | "putPack" | "commit";

const MOST_WAIT_SECONDS = 60;

export function sessionHandlers(kit: ServerKit): Pick<Handlers<typeof DEVICE_ROUTES>, SessionRoute> {
  const uploads = new PerDevice(API_LIMITS.packsAtOncePerDevice);
  return {
    async openSession({ vault: served, principal, body }) {
      const device = deviceOf(principal);
      const owner = deviceOfSession(served.vault.context, body.session);
      const { session, plan } = body;
      const about = { vault: served.id, device, session, plan };
      if (owner === undefined) {
        requireRoom(kit, served, device);
        await admitSession(kit, served, about);
      } else if (owner !== device) throw new AppError("session_unknown");
      const granted = await served.vault.openSession({ session, device, plan, base: body.base ?? undefined });
      if (owner === undefined) kit.emit({ type: "session-open", ...about });
      return { ...granted, damagedBlocks: [...granted.damagedBlocks] };
    },

    async renewSession({ vault: served, principal, params }) {
      requireOwn(served, principal, params.session);
      await served.vault.renewSession(params.session);
      return undefined;
    },

    async closeSession({ vault: served, principal, params }) {
      const device = deviceOf(principal);
      // One that was never opened is as closed as can be.
      if (deviceOfSession(served.vault.context, params.session) === undefined) return undefined;
      requireOwn(served, principal, params.session);
      await served.vault.closeSession(params.session);
      kit.emit({ type: "session-close", vault: served.id, device, session: params.session });
      return undefined;
    },

    async findChunks({ vault: served, principal, params, body }) {
      requireOwn(served, principal, params.session);
      requireChunkIds(body.ids);
      return encodeFound(await served.vault.findChunks(params.session, body.ids));
    },

    async putPack({ vault: served, principal, params, body, request }) {
      const device = requireOwn(served, principal, params.session);
      const { session, n } = params;
      const length = request.headers["content-length"];
      const sizeBytes = length === undefined ? undefined : Number(length);
      const startMs = kit.clock.monotonic();
      return uploads.run(served.id, device, async () => {
        const room = await kit.admit({ kind: "pack", vault: served, device, sizeBytes });
        let stored: readonly number[] | undefined;
        try {
          const counted = count(body, (bytes) => room.take(bytes));
          const { packId, blockNos } = await served.vault.putPack(session, counted.slices, n);
          stored = blockNos;
          const durationMs = kit.clock.monotonic() - startMs;
          kit.emit({ type: "pack", vault: served.id, device, session, sizeBytes: counted.bytes(), durationMs });
          return { pack: packId, blockNos: [...blockNos] };
        } finally {
          room.end(stored);
        }
      });
    },

    async commit({ vault: served, principal, params, body }) {
      const device = requireOwn(served, principal, params.session);
      const { id, head, receivedAt } = await served.vault.commit(params.session, body);
      kit.emit({ type: "commit", vault: served.id, device, session: params.session, snapshot: id });
      return { id, seq: head.seq, head: head.id, receivedAt };
    },
  };
}

function deviceOf(principal: Principal): DeviceId {
  if (principal.kind === "device") return principal.device;
  // The table of routes lets only devices in.
  throw new AppError("internal", { context: { detail: "a session without a device" } });
}

/** A session of another device is as unknown as one that never was. */
function requireOwn(served: ServedVault, principal: Principal, session: SessionId): DeviceId {
  const device = deviceOf(principal);
  if (deviceOfSession(served.vault.context, session) === device) return device;
  throw new AppError("session_unknown");
}

/** Sessions of runs that were killed hold their places until their leases end. */
function requireRoom(kit: ServerKit, served: ServedVault, device: DeviceId): void {
  const open = openSessions(served.vault.context).get(device);
  if (open === undefined || open.count < API_LIMITS.openSessionsPerDevice) return;
  const seconds = Math.ceil((open.firstEndsAt - kit.clock.now()) / 1000);
  throw new AppError("too_many_requests", {
    context: { retryAfter: Math.max(1, Math.min(seconds, MOST_WAIT_SECONDS)) },
  });
}

function count(
  slices: AsyncIterable<Uint8Array>,
  take: (bytes: number) => void,
): { slices: AsyncIterable<Uint8Array>; bytes(): number } {
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const slice of slices) {
      bytes += slice.length;
      take(slice.length);
      yield slice;
    }
  }
  return { slices: counted(), bytes: () => bytes };
}
