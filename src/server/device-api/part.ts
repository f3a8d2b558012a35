// The part of the server that devices speak to: login, enrolment, reading, sessions; and what people do to vaults and devices.

import type { IncomingMessage } from "node:http";
import { AppError } from "../../core/errors.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import { forgetEndedSessions } from "../../vault/server-queries.ts";
import { DEVICE_ROUTES } from "../../wire/v4/api/device-routes.ts";
import { INVITE_ROUTES } from "../../wire/v4/api/invite-routes.ts";
import { VAULT_ROUTES } from "../../wire/v4/api/vault-routes.ts";
import { type Handlers, mount } from "../http/call.ts";
import type { Principal } from "../http/principal.ts";
import { KeyedChallenges } from "../keyed-challenges.ts";
import type { PartModule, ServerKit, ServerPart } from "../kit.ts";
import { NOTE_STEPS, noteSeen } from "./device-notes.ts";
import { enrol, INVITE_STEPS, sweepInvites } from "./invitations.ts";
import { newFetchGate } from "./limits.ts";
import { askChallenge, CHALLENGE_LIVES_MS, logIn } from "./login.ts";
import { readHandlers } from "./read-handlers.ts";
import { RevocationWatch } from "./revocation.ts";
import { sessionHandlers } from "./session-handlers.ts";
import { DeviceTokens } from "./tokens.ts";
import { fromWire, vaultHandlers } from "./vault-handlers.ts";

const SWEEP_MS = 60_000;
/** API keys of people begin so; everything else in a Bearer header is a device's. */
const API_KEY_PREFIX = "cb_";

export const DEVICE_API: PartModule = {
  // Steps to come are added behind these.
  migrations: { part: "devices", steps: [...INVITE_STEPS, ...NOTE_STEPS] },
  make: makeDeviceApi,
};

function makeDeviceApi(kit: ServerKit): ServerPart {
  const tokens = new DeviceTokens(kit);
  const challenges = new KeyedChallenges({ clock: kit.clock, random: kit.random, livesMs: CHALLENGE_LIVES_MS });
  const watch = new RevocationWatch(kit, tokens);
  const deviceHandlers: Handlers<typeof DEVICE_ROUTES> = {
    ...loginHandlers(kit, challenges, tokens),
    ...readHandlers(newFetchGate()),
    ...sessionHandlers(kit),
  };
  const peopleHandlers = vaultHandlers(kit, watch);
  let sweeper: NodeJS.Timeout | undefined;
  return {
    routes: [
      ...mount(DEVICE_ROUTES, deviceHandlers),
      ...mount(VAULT_ROUTES, peopleHandlers),
      ...mount(INVITE_ROUTES, peopleHandlers),
    ],
    authenticate: async (request) => authenticate(tokens, request),
    start() {
      watch.start();
      sweeper = setInterval(() => sweep(kit, tokens), SWEEP_MS).unref();
    },
    stop() {
      watch.stop();
      clearInterval(sweeper);
    },
  };
}

function loginHandlers(
  kit: ServerKit,
  challenges: KeyedChallenges,
  tokens: DeviceTokens,
): Pick<Handlers<typeof DEVICE_ROUTES>, "challenge" | "login" | "enroll"> {
  const by = (address: string, subject: string) => ({ address: address === "local" ? undefined : address, subject });
  const seen = (vault: VaultId, device: DeviceId, address: string): void =>
    noteSeen(kit.database, vault, device, kit.clock.now(), address);
  return {
    challenge: ({ body }) => askChallenge(kit, challenges, body),

    login: ({ body, address }) =>
      kit.attempts.guard("device", by(address, `${body.vault}/${body.device}`), async () => {
        const given = await logIn(kit, challenges, tokens, body);
        seen(body.vault, body.device, address);
        kit.emit({ type: "device-login", vault: body.vault, device: body.device });
        return given;
      }),

    enroll: ({ body, address }) =>
      kit.attempts.guard("invite", by(address, Buffer.from(body.lookup).toString("hex")), async () => {
        const { served, device, name, sealed } = await enrol(kit, { ...body, statement: fromWire(body.statement) });
        seen(served.id, device, address);
        kit.audit({
          principal: { kind: "device", vault: served.id, device },
          address,
          action: "enrolled",
          vault: served.id,
        });
        kit.emit({ type: "enrolled", vault: served.id, device, name });
        return { vault: served.id, name: served.name, sealed: new Uint8Array(sealed) };
      }),
  };
}

/** Throws `token_expired` for a token that is none, or none any more. */
function authenticate(tokens: DeviceTokens, request: IncomingMessage): Principal | undefined {
  const token = /^Bearer ([\w-]{1,200})$/i.exec(request.headers.authorization ?? "")?.[1];
  if (token === undefined || token.startsWith(API_KEY_PREFIX)) return undefined;
  const login = tokens.whose(token);
  if (login === undefined) throw new AppError("token_expired");
  return { kind: "device", vault: login.vault, device: login.device };
}

function sweep(kit: ServerKit, tokens: DeviceTokens): void {
  tokens.sweep();
  sweepInvites(kit);
  for (const served of kit.vaults.list()) {
    if (served.problem === undefined) forgetEndedSessions(served.vault.context);
  }
}
