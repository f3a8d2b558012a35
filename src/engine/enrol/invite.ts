// An invitation of one more device, made where the vault can be written to: by a machine, or in a browser. The server learns neither its key
// nor what it opens (docs/protocol-v4.md, Enrolment).

import { type Bytes, toHex } from "../../core/bytes.ts";
import type { RandomSource } from "../../core/clock.ts";
import type { VaultId } from "../../core/ids.ts";
import { sha256 } from "../../core/sha256.ts";
import { INVITATION_KEY_BYTES, invitationKeys, sealInvitation } from "../../crypto/invitation.ts";
import type { WriterSecrets } from "../../crypto/secrets.ts";
import { INVITE_ROUTES } from "../../wire/v4/api/invite-routes.ts";
import { encodeInviteCode } from "../../wire/v4/invite-code.ts";
import type { ApiClient } from "../remote/api-client.ts";
import { requireDeviceName } from "./statements.ts";

export type Invitation = {
  /** The enrolment code: shown once, kept nowhere. */
  readonly code: string;
  /** Name of the invitation, hex. */
  readonly id: string;
  readonly endsAt: number;
};

/** Lets one more device in. `api` may administer the vault. */
export async function invite(input: {
  readonly api: Pick<ApiClient, "call">;
  readonly vault: VaultId;
  readonly writer: WriterSecrets;
  /** `https://host:port/NAME`. */
  readonly address: string;
  readonly pin: Bytes | undefined;
  /** Proposed for the device. */
  readonly name: string;
  readonly hours: number;
  readonly random: RandomSource;
}): Promise<Invitation> {
  const { api, vault, writer, address, pin, hours, random } = input;
  const key = random.bytes(INVITATION_KEY_BYTES);
  const { lookup, token } = await invitationKeys(key);
  const body = {
    lookup: toHex(lookup),
    tokenHash: await sha256(token),
    sealed: await sealInvitation(key, vault, writer, random),
    name: requireDeviceName(input.name),
    hours,
  };
  const { endsAt } = await api.call(INVITE_ROUTES.makeInvite, { params: { vault }, body });
  return { code: encodeInviteCode({ vault, key, pin, address }), id: body.lookup, endsAt };
}
