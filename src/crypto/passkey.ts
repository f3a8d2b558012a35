// Passkeys as keys of a vault (docs/format.md, Keyslots): the age library's WebAuthn recipient, cut in two. Only a window may ask for a
// passkey, and only the worker may hold secrets; what goes between them is the file key of one keyslot and the stanzas that wrap it.

import { type Identity, type Recipient, Stanza, webauthn } from "age-encryption";
import type { Bytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";

/** A stanza as it goes between window and worker. */
export type PlainStanza = { readonly args: readonly string[]; readonly body: Bytes };

/** What a window does for a worker. Both throw `passkey_refused`. */
export type PasskeyPrompt = {
  wrap(credential: string, fileKey: Bytes): Promise<PlainStanza[]>;
  /** Null when the passkey does not fit. */
  unwrap(credential: string, stanzas: readonly PlainStanza[]): Promise<Bytes | null>;
};

const CREDENTIAL_STANZA = "cyberbackup-passkey";
const PRF_STANZA = "age-encryption.org/fido2prf";
const CREDENTIAL = /^AGE-PLUGIN-FIDO2PRF-1[0-9A-Z]{1,4096}$/;

export function passkeyRecipient(credential: string, prompt: PasskeyPrompt): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const wrapped = await prompt.wrap(credential, fileKey as Bytes);
      return [
        new Stanza([CREDENTIAL_STANZA, credential], new Uint8Array()),
        ...wrapped.map(({ args, body }) => new Stanza([...args], body)),
      ];
    },
  };
}

export type PasskeyIdentity = Identity;

export function passkeyIdentity(prompt: PasskeyPrompt): PasskeyIdentity {
  return {
    async unwrapFileKey(stanzas) {
      const named = stanzas.find(({ args }) => args[0] === CREDENTIAL_STANZA)?.args[1] ?? "";
      const wrapped = stanzas.filter(({ args }) => args[0] === PRF_STANZA);
      if (!CREDENTIAL.test(named) || wrapped.length !== 1) return null;
      return prompt.unwrap(
        named,
        wrapped.map(({ args, body }) => ({ args, body: body as Bytes })),
      );
    },
  };
}

/** The window's half. */
export const windowPasskeys: PasskeyPrompt = {
  async wrap(credential, fileKey) {
    const stanzas = await asking(() => new webauthn.WebAuthnRecipient({ identity: credential }).wrapFileKey(fileKey));
    return stanzas.map(({ args, body }) => ({ args, body: body as Bytes }));
  },

  async unwrap(credential, stanzas) {
    const given = stanzas.map(({ args, body }) => new Stanza([...args], body));
    const identity = new webauthn.WebAuthnIdentity({ identity: credential });
    return (await asking(() => identity.unwrapFileKey(given))) as Bytes | null;
  },
};

/** Makes a passkey for this host. `name` is what the authenticator shows. Answers its public `AGE-PLUGIN-FIDO2PRF-1…`. */
export function createPasskey(name: string): Promise<string> {
  return asking(() => webauthn.createCredential({ keyName: name }));
}

/** Whoever was asked may say no, wait too long, or have a passkey that cannot do this. */
async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const isRefusal = cause instanceof DOMException && cause.name === "NotAllowedError";
    const detail = isRefusal
      ? "nobody confirmed it in time."
      : "it is not on this machine, or it cannot make keys (the PRF extension is missing).";
    throw new AppError("passkey_refused", { cause, context: { detail } });
  }
}
