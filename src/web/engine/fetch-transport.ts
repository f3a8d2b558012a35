// HTTP for a browser: `fetch` to the server that the page came from, which proves itself to the browser before we are asked. It tries
// nothing again; whatever keeps a request from its whole answer is `server_unreachable`, and nothing waits for ever.
// Bodies are sent whole: browsers stream uploads over HTTP/2 only.

import { utf8 } from "../../core/bytes.ts";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError, isAppError, throwIfAborted } from "../../core/errors.ts";
import { sha256 } from "../../core/sha256.ts";
import { collect } from "../../engine/remote/exchange.ts";
import type { Binding, HttpAnswer, HttpBody, HttpRequest, HttpTransport } from "../../engine/remote/transport.ts";
import { sliceReader } from "./slice-reader.ts";

export type FetchTransportOptions = {
  /** Where the page came from. */
  readonly origin: string;
  /** `omit` for calls as a device: whoever is signed in to the page has nothing to do with them. */
  readonly credentials: "same-origin" | "omit";
  /** How long nothing may move. */
  readonly stallMs?: number;
};

/** Logins of browsers are bound to the origin (docs/protocol-v4.md, Login of a device). */
const BINDING_ORIGIN = 2;
const ANSWER_MAX_BYTES = 4096;
const ORIGIN_HEADER = "x-cyberbackup-origin";

export function fetchTransport(options: FetchTransportOptions): HttpTransport {
  const { origin } = options;
  const through = (request: HttpRequest): Promise<HttpAnswer> => send(request, options);
  return {
    origin,
    send: through,
    async bind() {
      const server = await serverOrigin(through, origin);
      const binding: Binding = { kind: BINDING_ORIGIN, hash: await sha256(utf8(server)) };
      return { binding, send: through, close: async () => undefined };
    },
    close: async () => undefined,
  };
}

/** A page that is served apart from its server (`cyberbackup web`) is told which one it stands for. */
async function serverOrigin(through: HttpTransport["send"], origin: string): Promise<string> {
  const answer = await through({ method: "GET", path: "/health/live", headers: {} });
  await collect(answer.body, ANSWER_MAX_BYTES);
  return answer.header(ORIGIN_HEADER) ?? origin;
}

async function send(
  { method, path, headers, body, signal }: HttpRequest,
  { origin, credentials, stallMs = LIMITS.stallMs.value }: FetchTransportOptions,
): Promise<HttpAnswer> {
  throwIfAborted(signal);
  const watch = new Watch(origin, stallMs, signal);
  try {
    const response = await fetch(origin + path, {
      method,
      headers,
      credentials,
      cache: "no-store",
      redirect: "error",
      signal: watch.signal,
      ...(body === undefined ? {} : { body: bodyOf(body) }),
    });
    watch.pause();
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body: slicesOf(response, watch),
    };
  } catch (error) {
    watch.end();
    throw watch.errorOf(error);
  }
}

function bodyOf(body: HttpBody): BodyInit {
  if (body instanceof Uint8Array) return body;
  // Slices may be their giver's again.
  return new Blob(Array.from(body.slices(), (slice) => slice.slice()));
}

async function* slicesOf(response: Response, watch: Watch): AsyncGenerator<Uint8Array> {
  const reader = response.body && sliceReader(response.body);
  let isOver = reader === null;
  try {
    while (!isOver) {
      watch.touch();
      const slice = await reader!.read();
      // While its reader is busy, nothing is waited for.
      watch.pause();
      isOver = slice === undefined;
      if (slice) yield slice;
    }
  } catch (error) {
    isOver = true;
    throw watch.errorOf(error);
  } finally {
    watch.end();
    if (!isOver) await reader!.cancel().catch(() => undefined);
  }
}

/** Ends a request in which nothing moves, or that is not wanted any more, and says why it ended. */
class Watch {
  readonly #controller = new AbortController();
  readonly #origin: string;
  readonly #stallMs: number;
  readonly #given: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#controller.abort(new AppError("interrupted"));
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(origin: string, stallMs: number, signal: AbortSignal | undefined) {
    this.#origin = origin;
    this.#stallMs = stallMs;
    this.#given = signal;
    signal?.addEventListener("abort", this.#onAbort);
    this.touch();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something has moved. */
  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#controller.abort(this.#unreachable("nothing has moved for too long.")),
      this.#stallMs,
    );
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.pause();
    this.#given?.removeEventListener("abort", this.#onAbort);
  }

  errorOf(error: unknown): AppError {
    const { reason } = this.#controller.signal;
    if (isAppError(reason)) return reason;
    if (isAppError(error)) return error;
    return this.#unreachable("the connection failed.", error);
  }

  #unreachable(detail: string, cause?: unknown): AppError {
    return new AppError("server_unreachable", { cause, context: { address: this.#origin, detail } });
  }
}
