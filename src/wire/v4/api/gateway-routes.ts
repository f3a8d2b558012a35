// The gateway for clients of CyberBackup 3 that runs within this server (`serve --gateway`; docs/protocol-v3.md), as people see it: who uploads
// through it, how it is narrowed, when it ends for whom. An id of protocol 3 is all that a client has to show, so none is ever told; clients
// are known here by a hash of theirs.

import { z } from "zod";
import { ID_BYTES, type VaultId } from "../../../core/ids.ts";
import { hexId, whole } from "./coding.ts";
import { routes } from "./route.ts";

const MOST_BYTES = 1024;
const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "not an id");

const client = z.strictObject({
  id,
  name: z.string(),
  /** False until it has sent its public key, and again after its key was forgotten. */
  hasKey: z.boolean(),
  registeredAt: whole,
  /** When it last logged in. */
  lastSeenAt: whole.nullable(),
  /** When a file of its was last stored. */
  lastUploadAt: whole.nullable(),
  /** From when on it is refused. */
  retireAt: whole.nullable(),
  /** The same, where whoever started the server said so (`--retire`); it cannot be changed here. */
  fixedRetireAt: whole.nullable(),
  answer: z.enum(["allowed", "not_listed", "retired"]),
});

const gateway = z.strictObject({
  /** Where it listens. */
  address: z.string(),
  /** Whether only this machine reaches it. */
  isLoopback: z.boolean(),
  vault: hexId<VaultId>(ID_BYTES.vault),
  /** Those who may come; null: everybody. */
  names: z.array(z.string()).nullable(),
  networks: z.array(z.string()).nullable(),
  connections: whole,
  /** Since the server was started. */
  stored: whole,
  refused: whole,
  clients: z.array(client),
});

export type GatewayState = z.output<typeof gateway>;
export type GatewayClient = z.output<typeof client>;

const OWNER = ["owner"] as const;
const empty = { kind: "empty" } as const;

export const GATEWAY_ROUTES = routes({
  gateway: {
    method: "GET",
    path: "/api/v4/gateway",
    who: ["viewer"],
    summary:
      "The gateway for clients of CyberBackup 3 within this server, and who is registered with it; null where none runs.",
    answer: { kind: "json", schema: z.strictObject({ gateway: gateway.nullable() }) },
  },
  retireGatewayClient: {
    method: "PATCH",
    path: "/api/v4/gateway/clients/{id}",
    who: OWNER,
    summary: "Says from when on a client of CyberBackup 3 is refused; null takes that back.",
    body: { kind: "json", schema: z.strictObject({ retireAt: whole.nullable() }), maxBytes: MOST_BYTES },
    answer: empty,
  },
  resetGatewayClient: {
    method: "POST",
    path: "/api/v4/gateway/clients/{id}/reset",
    who: OWNER,
    summary: "Lets a client of CyberBackup 3 send a new public key, once.",
    isGuarded: true,
    answer: empty,
  },
  forgetGatewayClient: {
    method: "DELETE",
    path: "/api/v4/gateway/clients/{id}",
    who: OWNER,
    summary: "Removes a client of CyberBackup 3, so that its name can be registered again. What it has stored stays.",
    isGuarded: true,
    answer: empty,
  },
});
