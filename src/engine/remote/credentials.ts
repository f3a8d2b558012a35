// What proves to a server who calls: the token of a device, fetched by a signed challenge (docs/protocol-v4.md, Login of a device),
// or the API key of a person. Neither ever gets into an error or a log.

import type { Bytes } from "../../core/bytes.ts";
import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import type { Signer } from "../../crypto/signature.ts";
import { DEVICE_ROUTES } from "../../wire/v4/api/device-routes.ts";
import { loginStatement } from "../../wire/v4/login.ts";
import { exchange } from "./exchange.ts";
import type { HttpTransport } from "./transport.ts";

export interface Credentials {
  /** The value of the `Authorization` header; undefined for none. Logs in when need be. */
  authorization(signal: AbortSignal | undefined): Promise<string | undefined>;
  /** The server did not take this one. True when another may be had. */
  refused(authorization: string): boolean;
}

export const nobody: Credentials = {
  authorization: async () => undefined,
  refused: () => false,
};

export function apiKeyCredentials(key: string): Credentials {
  return { authorization: async () => `Bearer ${key}`, refused: () => false };
}

/** Well before the server lets a token end, so that no upload is refused half-way. */
const RENEW_AFTER_MS = 12 * 60_000;

/** One login at a time, whoever asks. */
export function deviceCredentials(input: {
  readonly transport: HttpTransport;
  readonly vault: VaultId;
  readonly signer: Signer;
  readonly clock: Clock;
}): Credentials {
  const { clock } = input;
  let current: { readonly authorization: string; readonly since: number } | undefined;
  let pending: Promise<string> | undefined;
  const renew = async (signal: AbortSignal | undefined): Promise<string> => {
    const since = clock.monotonic();
    const authorization = `Bearer ${await logIn(input, signal)}`;
    current = { authorization, since };
    return authorization;
  };
  return {
    async authorization(signal) {
      if (current && clock.monotonic() - current.since < RENEW_AFTER_MS) return current.authorization;
      pending ??= renew(signal).finally(() => {
        pending = undefined;
      });
      return pending;
    },
    refused(authorization) {
      if (current?.authorization === authorization) current = undefined;
      return true;
    },
  };
}

/** Challenge and answer go over one connection, and the answer names its certificate. */
async function logIn(
  { transport, vault, signer }: { transport: HttpTransport; vault: VaultId; signer: Signer },
  signal: AbortSignal | undefined,
): Promise<string> {
  const { device } = signer;
  const connection = await transport.bind(signal);
  try {
    const asked = await exchange(connection, DEVICE_ROUTES.challenge, { body: { vault, device }, signal });
    if (asked.value.vault !== vault) throw new AppError("login_failed");
    const { challenge }: { challenge: Bytes } = asked.value;
    const { kind: bindingKind, hash: binding } = connection.binding;
    const sig = await signer.sign(loginStatement({ vault, device, challenge, bindingKind, binding }));
    const body = { vault, device, challenge, bindingKind, sig };
    return (await exchange(connection, DEVICE_ROUTES.login, { body, signal })).value.token;
  } finally {
    await connection.close();
  }
}
