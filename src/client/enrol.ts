// A machine takes up an invitation (engine/enrol/invite.ts). The server is between the two and learns neither the invitation's key nor what
// it opens (docs/protocol-v4.md, Enrolment).

import type { DeviceFile } from "../crypto/device-file.ts";
import { invitationId } from "../crypto/invitation.ts";
import { generateDeviceKey, importSigner } from "../crypto/signature.ts";
import { joinByCode } from "../engine/enrol/join.ts";
import type { ApiClient } from "../engine/remote/api-client.ts";
import type { InviteCode } from "../wire/v4/invite-code.ts";
import type { Home } from "./home.ts";

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
