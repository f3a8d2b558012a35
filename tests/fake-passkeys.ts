// An authenticator with the PRF extension, in place of `navigator.credentials`, so that passkeys can be tested where there is no window.
// What it answers is HMAC-SHA-256 of the salt with its secret, as CTAP's hmac-secret does.

import type { Bytes } from "../src/core/bytes.ts";
import { webPrimitives } from "../src/crypto/primitives.ts";

type PrfSalts = { readonly first: Bytes; readonly second: Bytes };
type CreateOptions = { readonly publicKey: { readonly user: { readonly name: string } } };
type GetOptions = {
  readonly publicKey: {
    readonly allowCredentials: readonly { readonly id: Bytes }[];
    readonly extensions: { readonly prf: { readonly eval: PrfSalts } };
  };
};

export type FakeAuthenticator = {
  secret: Bytes;
  /** What it does when it is asked; throws to refuse. */
  onAsk: () => void;
  /** Ids of the credentials that were asked for. */
  readonly asked: Bytes[];
  restore(): void;
};

/** Until `restore`. */
export function installAuthenticator(secret: Bytes, credentialId: Bytes): FakeAuthenticator {
  const before = Object.getOwnPropertyDescriptor(navigator, "credentials");
  const authenticator: FakeAuthenticator = {
    secret,
    onAsk: () => undefined,
    asked: [],
    restore() {
      if (before) Object.defineProperty(navigator, "credentials", before);
      else Reflect.deleteProperty(navigator, "credentials");
    },
  };
  const answer = (salt: Bytes) => webPrimitives.hmacSha256(authenticator.secret, new Uint8Array(), salt);
  const credentials = {
    async create(_: CreateOptions) {
      authenticator.onAsk();
      return {
        rawId: credentialId.buffer,
        response: { getTransports: () => ["internal"] },
        getClientExtensionResults: () => ({ prf: { enabled: true } }),
      };
    },
    async get({ publicKey }: GetOptions) {
      authenticator.onAsk();
      for (const { id } of publicKey.allowCredentials) authenticator.asked.push(id);
      const { first, second } = publicKey.extensions.prf.eval;
      const results = { first: (await answer(first)).buffer, second: (await answer(second)).buffer };
      return { getClientExtensionResults: () => ({ prf: { results } }) };
    },
  };
  Object.defineProperty(navigator, "credentials", { value: credentials, configurable: true });
  return authenticator;
}
