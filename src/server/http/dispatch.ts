// From a request to its handler and back: route, version, caller, access, limits, body, answer. Every request ends here, with an
// answer or with its connection closed; nothing that a handler throws gets further.

import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tryUtf8Decode } from "../../core/bytes.ts";
import { AppError, isAppError, throwIfAborted } from "../../core/errors.ts";
import type { SessionId } from "../../core/ids.ts";
import type { Logger } from "../../core/log.ts";
import { nameRoutes } from "../../core/log-fields.ts";
import { checkMessage, decodeMessage } from "../../wire/v4/api/coding.ts";
import { checkParameters } from "../../wire/v4/api/parameters.ts";
import type { Route } from "../../wire/v4/api/route.ts";
import type { FinishedCall, ServerEvent } from "../kit.ts";
import type { RunningCall, RunningCalls } from "../running-calls.ts";
import type { VaultRegistry } from "../vaults.ts";
import { checkAccess, checkOrigin } from "./access.ts";
import { outward, sendAnswer, sendProblem } from "./answer.ts";
import { readBody, streamBody } from "./body.ts";
import type { Call, Mounted, RawRoute } from "./call.ts";
import { negotiate } from "./negotiation.ts";
import type { Principal } from "./principal.ts";
import { router } from "./router.ts";

export type DispatchOptions = {
  readonly routes: readonly Mounted[];
  readonly raw: readonly RawRoute[];
  readonly vaults: VaultRegistry;
  readonly running: RunningCalls;
  readonly logger: Logger;
  readonly origins: ReadonlySet<string>;
  readonly stopping: AbortSignal;
  now(): number;
  authenticate(request: IncomingMessage, address: string): Promise<Principal>;
  emit(event: ServerEvent): void;
  finished(call: FinishedCall): void;
};

/** Where a request came in. */
export type Door = {
  readonly isLocalSocket: boolean;
  /** True when whoever calls speaks TLS, with us or with our proxy. */
  readonly isEncrypted: boolean;
  addressOf(request: IncomingMessage): string;
};

/** What is still read of a body that nobody wants, so that its sender gets to read the answer. */
const LINGER_BYTES = 16 * 2 ** 20;
const LINGER_MS = 2000;
/** The same for callers that were cut off. */
const LINGER_CUT_MS = 250;

const ALL_IS_SENT = new AppError("interrupted");

const REQUEST_ID_BYTES = 12;
/** Asking the system for the bytes of one id takes as long as for those of many. */
const REQUEST_IDS = 128;

export type Dispatch = (door: Door, request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function dispatcher(options: DispatchOptions): Dispatch {
  const find = router(options.routes);
  nameRoutes([...options.routes.map(({ name }) => name), ...options.raw.map(({ prefix }) => prefix)]);
  return async (door, request, response) => {
    const requestId = newRequestId();
    const exchange: Exchange = { request, response, requestId, door, address: door.addressOf(request) };
    setCommonHeaders(response, requestId, isStrict(door, request), options.stopping.aborted);
    const controller = new AbortController();
    // Whoever still listens when all is sent only clears up: an error with a stack for each request would cost more than its answer.
    response.on("close", () => controller.abort(response.writableFinished ? ALL_IS_SENT : new AppError("interrupted")));
    const startMs = performance.now();
    const about: About = { route: "none", principal: { kind: "nobody" }, called: undefined };
    let outcome: FinishedCall["outcome"] = "ok";
    try {
      await serve(options, find, exchange, controller, about);
    } catch (thrown) {
      outcome = outward(thrown).code;
      fail(options, exchange, thrown);
    } finally {
      const { called, principal } = about;
      if (called !== undefined) {
        options.finished({ ...called, principal, outcome, requestId, address: exchange.address, request });
      }
      linger(request, controller.signal.aborted);
      options.emit({
        type: "request",
        requestId,
        run: runOf(request),
        vault: about.called?.vault,
        device: about.principal.kind === "device" ? about.principal.device : undefined,
        session: about.called?.params.session as SessionId | undefined,
        method: request.method ?? "",
        route: about.route,
        status: response.statusCode,
        durationMs: performance.now() - startMs,
        bytesIn: Number(request.headers["content-length"] ?? 0),
        bytesOut: Number(response.getHeader("content-length") ?? 0),
        caller: about.principal.kind,
      });
    }
  };
}

let idBytes = Buffer.alloc(0);

function newRequestId(): string {
  if (idBytes.length === 0) idBytes = randomBytes(REQUEST_IDS * REQUEST_ID_BYTES);
  const id = idBytes.toString("hex", 0, REQUEST_ID_BYTES);
  idBytes = idBytes.subarray(REQUEST_ID_BYTES);
  return id;
}

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly door: Door;
  readonly address: string;
};

type About = {
  route: string;
  principal: Principal;
  /** Once it is known what is called. */
  called: Mutable<Pick<FinishedCall, "name" | "route" | "params" | "vault" | "seq">> | undefined;
};
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

async function serve(
  options: DispatchOptions,
  find: ReturnType<typeof router>,
  exchange: Exchange,
  controller: AbortController,
  about: About,
): Promise<void> {
  const { request, response, requestId, address } = exchange;
  const [path = "", search = ""] = split(request.url ?? "");
  const found = find(request.method ?? "", path);
  const raw = found.kind === "none" ? options.raw.find(({ prefix }) => path.startsWith(prefix)) : undefined;
  if (found.kind !== "route") {
    if (raw !== undefined) {
      about.route = raw.prefix;
      const over = options.running.begin(runningCall(controller, undefined, { kind: "nobody" }, false));
      try {
        return await raw.handle(request, response, { requestId, address, signal: controller.signal });
      } finally {
        over();
      }
    }
    throw notThere(found, response);
  }
  const { name, route, handle } = found.mounted;
  about.route = name;
  const called: NonNullable<About["called"]> = { name, route, params: {}, vault: undefined, seq: undefined };
  about.called = called;
  negotiate(request, route);
  const principal: Principal = exchange.door.isLocalSocket
    ? { kind: "machine" }
    : await options.authenticate(request, address);
  about.principal = principal;
  const params = checkParameters(found.params);
  called.params = params;
  const vault = typeof params.vault === "string" ? options.vaults.byNameOrId(params.vault) : undefined;
  called.vault = vault?.id;
  checkAccess(route, principal, vault?.id, options.now());
  checkOrigin(request, principal, options.origins);
  if (params.vault !== undefined && vault === undefined) {
    throw new AppError("vault_not_found", { context: { path: params.vault as string } });
  }
  const isEndless = route.answer.kind === "events";
  const over = options.running.begin(runningCall(controller, vault?.id, principal, isEndless));
  const { signal } = controller;
  let release = (): void => undefined;
  try {
    throwIfCut(signal);
    const query = route.query === undefined ? undefined : checkMessage(route.query, queryOf(search));
    const body = await bodyOf(route, request, signal);
    release = body.release;
    throwIfCut(signal);
    const reply = {
      status: undefined as number | undefined,
      header: (header: string, value: string | readonly string[]) => void response.setHeader(header, value),
    };
    const call = { params, query, body: body.value, principal, vault, requestId, address, signal, request, reply };
    const answer = await handle(call as unknown as Call);
    called.seq = seqOf(answer);
    await sendAnswer(response, route, reply, answer, signal);
  } catch (error) {
    throwIfCut(signal);
    throw error;
  } finally {
    release();
    over();
  }
}

/** Callers name their runs by 16 hex digits; anything else is not taken up. */
function runOf({ headers }: IncomingMessage): string | undefined {
  const run = headers["x-run-id"];
  return typeof run === "string" && /^[0-9a-f]{16}$/.test(run) ? run : undefined;
}

/** Answers of what ends in a vault's log name its entry. */
function seqOf(answer: unknown): number | undefined {
  const seq = typeof answer === "object" && answer !== null && "seq" in answer ? answer.seq : undefined;
  return typeof seq === "number" ? seq : undefined;
}

function runningCall(
  controller: AbortController,
  vault: RunningCall["vault"],
  principal: Principal,
  isEndless: boolean,
): RunningCall {
  const device = principal.kind === "device" ? principal.device : undefined;
  const person = principal.kind === "person" ? principal.id : undefined;
  return { vault, device, person, isEndless, cut: (reason) => controller.abort(reason) };
}

/** What was cut off says why, whatever it stumbled over because of that. */
function throwIfCut(signal: AbortSignal): void {
  if (!signal.aborted) return;
  if (isAppError(signal.reason)) throw signal.reason;
  throwIfAborted(signal);
}

async function bodyOf(
  route: Route,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<{ value: unknown; release: () => void }> {
  const { body } = route;
  const nothing = (): void => undefined;
  if (body === undefined) return { value: undefined, release: nothing };
  if ("isStream" in body && body.isStream)
    return { value: streamBody(request, body.maxBytes, signal), release: nothing };
  const { bytes, release } = await readBody(request, body.maxBytes, signal);
  try {
    if (body.kind === "msgpack") return { value: decodeMessage(body.schema, bytes), release };
    if (body.kind === "json") return { value: checkMessage(body.schema, parseJson(bytes)), release };
    return { value: bytes, release };
  } catch (error) {
    release();
    throw error;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  const text = tryUtf8Decode(bytes);
  try {
    if (text !== undefined) return JSON.parse(text);
  } catch {
    // Said below.
  }
  throw new AppError("request_invalid", { context: { detail: "its body is not JSON" } });
}

/** Each name once: a second one could be read otherwise by somebody in between. */
function queryOf(search: string): Record<string, string> {
  // Without a prototype, so that no name is special.
  const query = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(search)) {
    if (Object.hasOwn(query, name))
      throw new AppError("request_invalid", { context: { detail: "a parameter is given twice" } });
    query[name] = value;
  }
  return query;
}

function split(url: string): string[] {
  const at = url.indexOf("?");
  return at < 0 ? [url] : [url.slice(0, at), url.slice(at + 1)];
}

function notThere(
  found: { kind: "method"; allowed: readonly string[] } | { kind: "none" },
  response: ServerResponse,
): AppError {
  if (found.kind === "none") return new AppError("not_found", { context: { what: "This address of the server" } });
  response.setHeader("Allow", found.allowed.join(", "));
  return new AppError("request_invalid", { context: { detail: "the method does not fit the address", status: 405 } });
}

function fail(options: DispatchOptions, exchange: Exchange, thrown: unknown): void {
  const { response, request, requestId } = exchange;
  const error = outward(thrown);
  if (error.code === "internal" || error.code === "io" || error.code === "index_refused") {
    options.logger.error("a request failed", { requestId, error: thrown as Error });
  }
  if (response.headersSent || response.destroyed || request.socket.destroyed) {
    response.destroy();
    return;
  }
  if (!request.complete) response.shouldKeepAlive = false;
  sendProblem(response, error, requestId);
}

/** Lets the sender of an unread body read the answer, then closes the connection: what follows on it could not be told apart. */
function linger(request: IncomingMessage, wasCut: boolean): void {
  if (request.complete || request.destroyed || request.readableEnded) return;
  const { socket } = request;
  const close = (): void => {
    clearTimeout(timer);
    socket.destroySoon();
  };
  const timer = setTimeout(() => socket.destroy(), wasCut ? LINGER_CUT_MS : LINGER_MS);
  timer.unref();
  let bytes = 0;
  request.on("data", (slice: Uint8Array) => {
    bytes += slice.length;
    if (bytes > LINGER_BYTES) socket.destroy();
  });
  request
    .on("end", close)
    .on("error", close)
    .on("close", () => clearTimeout(timer));
  request.resume();
}

/** Not for this machine's own names: the plain door at `localhost` would be out of reach for browsers then. */
function isStrict({ isEncrypted }: Door, { headers }: IncomingMessage): boolean {
  return isEncrypted && !/^(?:localhost|127\.[\d.]+|\[::1\])(?::|$)/i.test(headers.host ?? "");
}

function setCommonHeaders(response: ServerResponse, requestId: string, isStrict: boolean, isStopping: boolean): void {
  response.setHeader("X-Request-Id", requestId);
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("X-Frame-Options", "DENY");
  response.setHeader("Referrer-Policy", "no-referrer");
  // For what the API answers. Whoever serves a page sets what that page needs.
  response.setHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
  if (isStrict) response.setHeader("Strict-Transport-Security", "max-age=31536000");
  if (isStopping) response.shouldKeepAlive = false;
}
