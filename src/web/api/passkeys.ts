// Passkeys by which somebody signs in, as browsers have them (Web Authentication Level 3, section 5.1). What is confirmed goes to the
// server, which checks it; nothing of it stays here.

import { AppError, isAppError } from "../../core/errors.ts";
import { type ConfirmedCredential, type MadeCredential, PASSKEY_ROUTES } from "../../wire/v4/api/passkey-routes.ts";
import { PASSKEYS } from "../strings/sign-in.ts";
import { call } from "./call.ts";
import { guarded } from "./use-api.ts";

/** Whether this browser has passkeys for this page's address: `unnamed` when the address is a number and not a name. */
export function passkeysHere(): "there" | "unnamed" | "unknown" {
  if (!("PublicKeyCredential" in globalThis) || !("credentials" in navigator)) return "unknown";
  return /^[\d.]+$|^\[/.test(location.hostname) ? "unnamed" : "there";
}

/** Throws `passkey_unanswered`, and what the server refuses. */
export async function signInByPasskey(rememberMe: boolean): Promise<void> {
  await call(PASSKEY_ROUTES.passkeySignIn, { body: { credential: await confirm(), rememberMe } });
}

/** Gives a fresh second factor. Throws as above. */
export async function giveFactorByPasskey(): Promise<void> {
  await call(PASSKEY_ROUTES.passkeyFactor, { body: { credential: await confirm() } });
}

/** Throws as above. */
export async function addPasskey(name: string, password: string): Promise<void> {
  const wish = await guarded(() => call(PASSKEY_ROUTES.passkeyWish, { body: { password } }));
  requireThisPage(wish.origin);
  const { challenge, user, excludeCredentials, ...rest } = wish.publicKey;
  const publicKey: PublicKeyCredentialCreationOptions = {
    ...rest,
    challenge: bytesOf(challenge),
    user: { ...user, id: bytesOf(user.id) },
    excludeCredentials: excludeCredentials.map(({ id, transports, type }) => ({
      type,
      id: bytesOf(id),
      transports: transports as AuthenticatorTransport[],
    })),
  };
  const { rawId, response } = await asking<AuthenticatorAttestationResponse>(() =>
    navigator.credentials.create({ publicKey }),
  );
  const credential: MadeCredential = {
    id: textOf(rawId),
    clientDataJSON: textOf(response.clientDataJSON),
    attestationObject: textOf(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  };
  await guarded(() => call(PASSKEY_ROUTES.addPasskey, { body: { name, credential } }));
}

async function confirm(): Promise<ConfirmedCredential> {
  const { origin, publicKey } = await call(PASSKEY_ROUTES.passkeyQuestion, {});
  requireThisPage(origin);
  const { challenge, rpId, timeout, userVerification } = publicKey;
  const { rawId, response } = await asking<AuthenticatorAssertionResponse>(() =>
    navigator.credentials.get({ publicKey: { challenge: bytesOf(challenge), rpId, timeout, userVerification } }),
  );
  return {
    id: textOf(rawId),
    clientDataJSON: textOf(response.clientDataJSON),
    authenticatorData: textOf(response.authenticatorData),
    signature: textOf(response.signature),
  };
}

/** A page that stands on another machine than its server (`cyberbackup web`) cannot answer for it. */
function requireThisPage(origin: string): void {
  if (origin !== location.origin) throw unanswered(PASSKEYS.elsewhere(origin));
}

async function asking<R extends AuthenticatorResponse>(
  ask: () => Promise<Credential | null>,
): Promise<{ readonly rawId: ArrayBuffer; readonly response: R }> {
  try {
    const credential = (await ask()) as PublicKeyCredential | null;
    if (credential !== null) return { rawId: credential.rawId, response: credential.response as R };
  } catch (cause) {
    if (isAppError(cause)) throw cause;
    const name = cause instanceof DOMException ? cause.name : "";
    throw unanswered(
      name === "InvalidStateError" ? PASSKEYS.hasOne : name === "NotAllowedError" ? PASSKEYS.nobody : PASSKEYS.cannot,
      cause,
    );
  }
  throw unanswered(PASSKEYS.nobody);
}

function unanswered(detail: string, cause?: unknown): AppError {
  return new AppError("passkey_unanswered", { cause, context: { detail } });
}

/** base64url (RFC 4648, section 5), without padding. */
function textOf(bytes: ArrayBuffer): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}
