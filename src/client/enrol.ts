// Enrolment over a network: an invitation that is made where the vault can be written to, and a machine that takes it up. The server is
// between the two and learns neither the invitation's key nor what it opens (docs/protocol-v4.md, Enrolment).

import { type Bytes, toHex } from "../core/bytes.ts";
import type { RandomSource } from "../core/clock.ts";
import type { VaultId } from "../core/ids.ts";
import { sha256 } from "../core/sha256.ts";
import type { DeviceFile } from "../crypto/device-file.ts";
import { INVITATION_KEY_BYTES, invitationId, invitationKeys, sealInvitation } from "../crypto/invitation.ts";
import type { WriterSecrets } from "../crypto/secrets.ts";
import { generateDeviceKey, importSigner } from "../crypto/signature.ts";
import { joinByCode } from "../engine/enrol/join.ts";
import { requireDeviceName } from "../engine/enrol/statements.ts";
import type { ApiClient } from "../engine/remote/api-client.ts";
import { INVITE_ROUTES } from "../wire/v4/api/invite-routes.ts";
import { encodeInviteCode, type InviteCode } from "../wire/v4/invite-code.ts";
import type { Home } from "./home.ts";

export type Invitation = {
  /** The enrolment code: shown once, kept nowhere. */
  readonly code: string;
  /** Name of the invitation, hex. */
  readonly id: string;
  readonly endsAt: number;
};

/** Lets one more device in. `api` may administer the vault. */
export async function invite(input: {
  readonly api: ApiClient;
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

export type Enrolment = { readonly device: DeviceFile; readonly vaultName: string };

/**
 * Makes this machine a device of the vault and answers its device file, which is not stored yet. Until `home.endEnrolment` the same
 * code gives the same device again, so that a run that was cut off can be repeated.
 */
export async function enrol(input: {
  /** Of nobody. */
  readonly api: ApiClient;
  readonly home: Home;
  readonly code: InviteCode;
  readonly name: string;
}): Promise<Enrolment> {
  const { api, home, code } = input;
  const signingKey = await home.enrolmentKey(
    await invitationId(code.key),
    async () => (await generateDeviceKey()).pkcs8,
  );
  const signer = await importSigner(signingKey);
  const { name, vaultName, writer } = await joinByCode({ api, code, signer, name: input.name });
  return { device: { vault: code.vault, device: signer.device, name, signingKey, writer }, vaultName };
}
