// What a browser holds while it is away at a provider: a cookie that says where it went, with a MAC. State, nonce and PKCE verifier (RFC 7636) are made of it
// by a key of this process, so that nothing has to be kept here: a flood of beginnings costs no memory, and a restart ends what is under way.

import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock, RandomSource } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";

export const TICKET_LIVES_MS = 10 * 60_000;

export type Journey = {
  readonly provider: string;
  /** Of the page that began, which is where the provider sends people back to. */
  readonly origin: string;
  readonly rememberMe: boolean;
};

export type Ticket = Journey & {
  /** Comes back from the provider: shows that this browser began. */
  readonly state: string;
  /** Comes back within the ID token: shows that the token was made for this. */
  readonly nonce: string;
  readonly verifier: string;
};

type Content = Journey & { readonly at: number; readonly seed: string };

export class OidcTickets {
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #key: Uint8Array;

  constructor({ clock, random }: { clock: Clock; random: RandomSource }) {
    this.#clock = clock;
    this.#random = random;
    this.#key = random.bytes(32);
  }

  make(journey: Journey): { readonly cookie: string; readonly ticket: Ticket } {
    const seed = Buffer.from(this.#random.bytes(32)).toString("base64url");
    const content: Content = { ...journey, at: this.#clock.now(), seed };
    const body = Buffer.from(JSON.stringify(content)).toString("base64url");
    return { cookie: `${body}.${this.#mac("cookie", body)}`, ticket: this.#ticket(journey, body) };
  }

  /** Throws `token_expired` for none, an old one, or one of another process. */
  open(cookie: string | undefined): Ticket {
    const [body = "", mac = ""] = (cookie ?? "").split(".");
    if (!isSame(mac, this.#mac("cookie", body))) throw new AppError("token_expired");
    const { provider, origin, rememberMe, at } = JSON.parse(Buffer.from(body, "base64url").toString()) as Content;
    if (this.#clock.now() - at >= TICKET_LIVES_MS) throw new AppError("token_expired");
    return this.#ticket({ provider, origin, rememberMe }, body);
  }

  #ticket(journey: Journey, body: string): Ticket {
    const of = (purpose: string): string => this.#mac(purpose, body);
    return { ...journey, state: of("state"), nonce: of("nonce"), verifier: of("verifier") };
  }

  /** 43 letters: as long as a PKCE verifier must be. */
  #mac(purpose: string, body: string): string {
    return createHmac("sha256", this.#key)
      .update(JSON.stringify([purpose, body]))
      .digest("base64url");
  }
}

export function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
