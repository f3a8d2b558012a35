// Passkeys as a way in (Web Authentication Level 3, sections 7.1 and 7.2; the checks themselves are @simplewebauthn/server's). A passkey
// belongs to the name of the server under which it was made, which is the RP ID; each is taken from the request's Origin, if that is one
// of this server's own (docs/decisions/0006). Always with user verification, so one passkey is two factors.

import { isIP } from "node:net";
import { utf8 } from "../../core/bytes.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import type { ConfirmedCredential, MadeCredential, PASSKEY_ROUTES, Passkey } from "../../wire/v4/api/passkey-routes.ts";
import type { AnswerOf } from "../http/call.ts";
import { KeyedChallenges, PURPOSE, type Purpose } from "../keyed-challenges.ts";
import { PasskeyStore, type StoredPasskey, shownPasskey } from "./passkey-store.ts";
import type { PersonRow } from "./store.ts";

/** Where a request comes from: an origin of this server, and the name in it. */
export type PasskeyPlace = { readonly origin: string; readonly host: string };

/** ES256, EdDSA and RS256: what authenticators have, in the order in which the first two are wanted (RFC 9053). */
const ALGORITHMS = [-7, -8, -257];

const CHALLENGE_LIVES_MS = 5 * 60_000;

export class Passkeys {
  readonly store: PasskeyStore;
  readonly #challenges: KeyedChallenges;

  constructor(parts: ConstructorParameters<typeof PasskeyStore>[0]) {
    this.store = new PasskeyStore(parts);
    this.#challenges = new KeyedChallenges({ ...parts, livesMs: CHALLENGE_LIVES_MS });
  }

  question({ origin, host }: PasskeyPlace): AnswerOf<typeof PASSKEY_ROUTES.passkeyQuestion> {
    const challenge = this.#challenge(PURPOSE.passkeyConfirm, host);
    const publicKey = {
      challenge,
      rpId: host,
      timeout: CHALLENGE_LIVES_MS,
      userVerification: "required" as const,
      allowCredentials: [],
    };
    return { origin, publicKey };
  }

  /** `signIn`: the one that gave the password for this. */
  wish(place: PasskeyPlace, person: PersonRow, signIn: string): AnswerOf<typeof PASSKEY_ROUTES.passkeyWish> {
    const { origin, host } = place;
    const challenge = this.#challenge(PURPOSE.passkeyAdd, host, signIn);
    const there = this.store.list(person.id).filter((passkey) => passkey.host === host);
    return {
      origin,
      publicKey: {
        challenge,
        rp: { id: host, name: "CyberBackup" },
        user: { id: Buffer.from(person.id).toString("base64url"), name: person.email, displayName: person.name },
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key" as const, alg })),
        timeout: CHALLENGE_LIVES_MS,
        attestation: "none",
        excludeCredentials: there.map(({ credential, transports }) => ({
          type: "public-key" as const,
          id: credential,
          transports: [...transports],
        })),
        authenticatorSelection: {
          residentKey: "required",
          requireResidentKey: true,
          userVerification: "required",
        },
      },
    };
  }

  /** Throws `login_failed` when what was made does not answer that sign-in's wish, `limit`, `request_invalid`. */
  async add(
    { origin, host }: PasskeyPlace,
    { person, signIn, name, made }: { person: string; signIn: string; name: string; made: MadeCredential },
  ): Promise<Passkey> {
    const { verifyRegistrationResponse } = await import("@simplewebauthn/server");
    const { id, clientDataJSON, attestationObject, transports } = made;
    const challenge = challengeIn(clientDataJSON);
    const info = await provenOrFailed(async () => {
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: {
          id,
          rawId: id,
          type: "public-key",
          response: { clientDataJSON, attestationObject },
          clientExtensionResults: {},
        },
        expectedChallenge: (asked) => asked === challenge && this.#isGood(asked, PURPOSE.passkeyAdd, host, signIn),
        expectedOrigin: origin,
        expectedRPID: host,
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      });
      return verified ? registrationInfo : undefined;
    });
    this.#spend(challenge);
    const { credential, credentialBackedUp } = info;
    return shownPasskey(
      this.store.add({
        person,
        name,
        host,
        credential: credential.id,
        publicKey: new Uint8Array(credential.publicKey),
        counter: credential.counter,
        transports,
        isSynced: credentialBackedUp,
      }),
    );
  }

  /** The passkey that has signed. Throws `login_failed`. */
  async confirm({ origin, host }: PasskeyPlace, given: ConfirmedCredential): Promise<StoredPasskey> {
    const passkey = this.store.byCredential(given.id);
    if (passkey === undefined || passkey.host !== host) throw new AppError("login_failed");
    const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
    const { id, clientDataJSON, authenticatorData, signature } = given;
    const challenge = challengeIn(clientDataJSON);
    const info = await provenOrFailed(async () => {
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: {
          id,
          rawId: id,
          type: "public-key",
          response: { clientDataJSON, authenticatorData, signature },
          clientExtensionResults: {},
        },
        expectedChallenge: (asked) => asked === challenge && this.#isGood(asked, PURPOSE.passkeyConfirm, host),
        expectedOrigin: origin,
        expectedRPID: host,
        requireUserVerification: true,
        credential: { id, publicKey: passkey.publicKey, counter: passkey.counter },
      });
      return verified ? authenticationInfo : undefined;
    });
    this.#spend(challenge);
    const { newCounter: counter, credentialBackedUp: isSynced } = info;
    if (!this.store.used(passkey.id, { counter, isSynced })) throw new AppError("login_failed");
    return passkey;
  }

  /** `signIn`: the one in which it is asked, where a passkey is added: by whoever gave the password, and in that page. */
  #challenge(purpose: Purpose, host: string, signIn?: string): string {
    return Buffer.from(this.#challenges.make(purpose, contextOf(host, signIn)).challenge).toString("base64url");
  }

  #isGood(challenge: string, purpose: Purpose, host: string, signIn?: string): boolean {
    return this.#challenges.isGood(Buffer.from(challenge, "base64url"), purpose, contextOf(host, signIn));
  }

  /** Throws `login_failed` for one that was used already. */
  #spend(challenge: string): void {
    if (!this.#challenges.use(Buffer.from(challenge, "base64url"))) throw new AppError("login_failed");
  }
}

function contextOf(host: string, signIn = ""): Uint8Array {
  return utf8(JSON.stringify([host, signIn]));
}

/** Throws `forbidden` for a page that is none of this server's, `passkey_place` where browsers have no passkeys. */
export function placeOfPasskeys(origin: string | undefined, origins: ReadonlySet<string>): PasskeyPlace {
  if (origin === undefined || !origins.has(origin)) {
    throw new AppError("forbidden", { context: { caller: "a page of another site", needed: "a page of this server" } });
  }
  const host = new URL(origin).hostname;
  if (isIP(host.replace(/^\[|\]$/g, "")) !== 0) throw new AppError("passkey_place", { context: { host } });
  return { origin, host };
}

/** Whatever is wrong with it is one answer. */
async function provenOrFailed<T>(check: () => Promise<T | undefined>): Promise<T> {
  try {
    const proven = await check();
    if (proven !== undefined) return proven;
  } catch (cause) {
    if (isAppError(cause)) throw cause;
    throw new AppError("login_failed", { cause });
  }
  throw new AppError("login_failed");
}

function challengeIn(clientDataJSON: string): string {
  try {
    const { challenge } = JSON.parse(Buffer.from(clientDataJSON, "base64url").toString("utf8")) as {
      challenge?: unknown;
    };
    if (typeof challenge === "string") return challenge;
  } catch {
    // Said below.
  }
  throw new AppError("login_failed");
}
