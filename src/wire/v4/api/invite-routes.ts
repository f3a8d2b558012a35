// Invitations of devices, as people see them (docs/protocol-v4.md, Enrolment). The server never gets the invitation's key: it
// learns a name for it, the hash of a token, and bytes that it cannot open.

import { z } from "zod";
import { type DeviceId, ID_BYTES } from "../../../core/ids.ts";
import { bin, binId, hexId, whole } from "./coding.ts";
import { routes } from "./route.ts";

const KIB = 1024;

export const INVITE_LIMITS = { sealedBytes: 16 * KIB, hours: 24, openPerVault: 1000 } as const;

const VAULT = "/api/v4/vaults/{vault}";

export const INVITE_ROUTES = routes({
  makeInvite: {
    method: "POST",
    path: `${VAULT}/invites`,
    who: ["operator"],
    summary: "Lets one more device in, once, until the invitation ends.",
    body: {
      kind: "msgpack",
      schema: z.strictObject({
        lookup: binId<string>(16),
        /** SHA-256 of the token. */
        tokenHash: bin(32),
        sealed: bin({ max: INVITE_LIMITS.sealedBytes }),
        /** Proposed for the device. */
        name: z.string().min(1).max(255),
        hours: z.number().int().min(1).max(INVITE_LIMITS.hours),
      }),
      maxBytes: 24 * KIB,
    },
    answer: { kind: "json", schema: z.strictObject({ endsAt: whole }) },
  },
  invites: {
    method: "GET",
    path: `${VAULT}/invites`,
    who: ["operator"],
    summary: "Invitations that have not ended, and who used them.",
    answer: {
      kind: "json",
      schema: z.strictObject({
        invites: z.array(
          z.strictObject({
            invite: hexId<string>(16),
            name: z.string(),
            createdAt: whole,
            endsAt: whole,
            /** Who made it: the name of a person. */
            by: z.string(),
            usedBy: hexId<DeviceId>(ID_BYTES.device).nullable(),
            usedAt: whole.nullable(),
          }),
        ),
      }),
    },
  },
  dropInvite: {
    method: "DELETE",
    path: `${VAULT}/invites/{invite}`,
    who: ["operator"],
    summary: "Takes an invitation back. A device that has used it stays.",
    answer: { kind: "empty" },
  },
});
