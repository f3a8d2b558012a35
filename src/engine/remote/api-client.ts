// Calls routes of a server as somebody: adds who calls, logs in again when a token has ended, tries again when the network or the
// server was gone for a while.

import { AppError, type ErrorCode, isAppError } from "../../core/errors.ts";
import type { Route } from "../../wire/v4/api/route.ts";
import type { Credentials } from "./credentials.ts";
import { type AnswerOf, type Asked, begin, type Exchanged, exchange, type Sender } from "./exchange.ts";
import type { Retrier } from "./retrier.ts";
import type { HttpAnswer, HttpTransport } from "./transport.ts";

export type ApiClientOptions = {
  readonly transport: HttpTransport;
  readonly credentials: Credentials;
  readonly retrier: Retrier;
  /** Ends all calls but those that say otherwise. */
  readonly signal?: AbortSignal | undefined;
};

const TOKEN_ENDED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["token_expired", "login_failed"]);

export class ApiClient {
  readonly transport: HttpTransport;
  readonly retrier: Retrier;
  readonly #credentials: Credentials;
  readonly #signal: AbortSignal | undefined;

  constructor({ transport, credentials, retrier, signal }: ApiClientOptions) {
    this.transport = transport;
    this.retrier = retrier;
    this.#credentials = credentials;
    this.#signal = signal;
  }

  /** `before` is done before each try. */
  async call<R extends Route>(route: R, asked: Asked<R>, before?: () => Promise<void>): Promise<AnswerOf<R>> {
    return (await this.exchange(route, asked, before)).value;
  }

  /** The same with the headers of the answer. */
  exchange<R extends Route>(route: R, asked: Asked<R>, before?: () => Promise<void>): Promise<Exchanged<R>> {
    const signal = asked.signal ?? this.#signal;
    return this.retrier.run(async () => {
      await before?.();
      return this.#logged({ ...asked, signal }, (sender, given) => exchange(sender, route, given));
    }, signal);
  }

  /** Tries once. */
  once<R extends Route>(route: R, asked: Asked<R>): Promise<Exchanged<R>> {
    const signal = asked.signal ?? this.#signal;
    return this.#logged({ ...asked, signal }, (sender, given) => exchange(sender, route, given));
  }

  /** Tries once; the answer with its body still to be read. */
  stream<R extends Route>(route: R, asked: Asked<R>): Promise<HttpAnswer> {
    return this.#logged(asked, (sender, given) => begin(sender, route, given));
  }

  /** Once, and whatever the client's own signal says: for the last words of a run that ends. */
  async farewell<R extends Route>(route: R, asked: Asked<R>, signal: AbortSignal): Promise<void> {
    await this.#logged({ ...asked, signal }, (sender, given) => exchange(sender, route, given));
  }

  async #logged<R extends Route, T>(
    asked: Asked<R>,
    work: (sender: Sender, asked: Asked<R>) => Promise<T>,
  ): Promise<T> {
    for (let isAgain = false; ; isAgain = true) {
      let authorization: string | undefined;
      try {
        authorization = await this.#credentials.authorization(asked.signal);
        const headers = authorization === undefined ? asked.headers : { ...asked.headers, authorization };
        return await work(this.transport, { ...asked, ...(headers ? { headers } : {}) });
      } catch (error) {
        const hasEnded = isAppError(error) && TOKEN_ENDED.has(error.code);
        if (!hasEnded || authorization === undefined) throw named(error, this.transport.origin);
        if (isAgain || !this.#credentials.refused(authorization)) throw new AppError("login_failed", { cause: error });
      }
    }
  }
}

/** Says which server it was. */
function named(error: unknown, address: string): unknown {
  if (!isAppError(error) || (error.code !== "server_unreachable" && error.code !== "answer_invalid")) return error;
  return new AppError(error.code, { cause: error.cause, context: { ...error.context, address } });
}
