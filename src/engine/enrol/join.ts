// Takes up an invitation: the new device introduces itself to the server and opens the writer secrets that its inviter sealed for it
// (docs/protocol-v4.md, Enrolment). The server learns neither the invitation's key nor what it opens.

import { AppError } from "../../core/errors.ts";
import { invitationKeys, openInvitation } from "../../crypto/invitation.ts";
import type { WriterSecrets } from "../../crypto/secrets.ts";
import type { Signer } from "../../crypto/signature.ts";
import { DEVICE_ROUTES } from "../../wire/v4/api/device-routes.ts";
import type { InviteCode } from "../../wire/v4/invite-code.ts";
import type { ApiClient } from "../remote/api-client.ts";
import { introduction, requireDeviceName, statementMessage } from "./statements.ts";

export type Joined = { readonly name: string; readonly vaultName: string; readonly writer: WriterSecrets };

/**
 * The same code with the same key gives the same device again, so that one that was cut off can be repeated. Throws `invite_invalid`,
 * `usage` for a name that is none, `vault_mismatch`, `record_corrupt`.
 */
export async function joinByCode(input: {
  /** Of nobody. */
  readonly api: ApiClient;
  readonly code: InviteCode;
  /** Whose key must be stored already. */
  readonly signer: Signer;
  readonly name: string;
}): Promise<Joined> {
  const { api, code, signer } = input;
  const { lookup, token } = await invitationKeys(code.key);
  const name = requireDeviceName(input.name);
  const statement = statementMessage(await introduction(signer, code.vault, name));
  const answer = await api.call(DEVICE_ROUTES.enroll, { body: { lookup, token, statement } });
  if (answer.vault !== code.vault) {
    throw new AppError("vault_mismatch", { context: { detail: "the server enrolled this machine in another one" } });
  }
  return { name, vaultName: answer.name, writer: await openInvitation(code.key, code.vault, answer.sealed) };
}
