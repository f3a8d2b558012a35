// HTTP for Node: kept-alive connections to one server over TLS (connect.ts), or over a server's local socket. It tries nothing again;
// whatever keeps a request from its whole answer is `server_unreachable`, and nothing waits for ever.

import { once } from "node:events";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { connect as connectNet } from "node:net";
import type { Duplex } from "node:stream";
import { type Clock, systemClock } from "../../core/clock.ts";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError, throwIfAborted } from "../../core/errors.ts";
import type {
  Binding,
  BoundConnection,
  HttpAnswer,
  HttpBody,
  HttpRequest,
  HttpTransport,
} from "../../engine/remote/transport.ts";
import { connectTo, type ServerAddress } from "./connect.ts";
import { reasonOf } from "./reason.ts";

/** An import would look at each export of the module, and one of them loads a whole other HTTP client: 35 ms of each start. */
const { Agent, request: httpRequest } = process.getBuiltinModule("node:http");
type Agent = InstanceType<typeof Agent>;

export type TransportOptions = {
  readonly clock?: Clock;
  readonly connectMs?: number;
  /** How long nothing may move, in either direction. */
  readonly stallMs?: number;
};

/** Enough for what one backup has under way: questions, packs, and the lease. */
const CONNECTIONS = 12;
/** Kept for less long than servers keep them, so that a request seldom meets a connection that just ends. */
const IDLE_MS = 30_000;

export function httpsTransport(address: ServerAddress, options: TransportOptions = {}): HttpTransport {
  const { connectMs = LIMITS.connectMs.value, clock = systemClock } = options;
  const stallMs = options.stallMs ?? LIMITS.stallMs.value;
  const open = (signal?: AbortSignal) => connectTo(address, { connectMs, now: () => clock.now(), signal });
  const agent = new GivenAgent(async () => (await open()).socket, CONNECTIONS);
  const { host } = new URL(address.origin);
  const sendBy = (through: Agent) => (request: HttpRequest) =>
    send(request, { agent: through, headers: { host } }, { address: address.origin, stallMs });
  return {
    origin: address.origin,
    send: sendBy(agent),
    async bind(signal): Promise<BoundConnection> {
      const { socket, binding } = await open(signal);
      const single = singleAgent(socket, address.origin);
      return { binding, send: sendBy(single), close: async () => single.destroy() };
    },
    close: async () => agent.destroy(),
  };
}

/** Connections to one server for whoever speaks HTTP by themselves; each is checked before it is handed out. */
export function connectingAgent(
  address: ServerAddress,
  { clock, connections }: { readonly clock: Clock; readonly connections: number },
): Agent {
  const options = { connectMs: LIMITS.connectMs.value, now: () => clock.now() };
  return new GivenAgent(async () => (await connectTo(address, options)).socket, connections);
}

/** The socket in a server's data folder: whoever can open it is an owner, so there is nothing to log in. */
export function socketTransport(socketPath: string, options: TransportOptions = {}): HttpTransport {
  const stallMs = options.stallMs ?? LIMITS.stallMs.value;
  const agent = new GivenAgent(async () => {
    const socket = connectNet(socketPath);
    await once(socket, "connect");
    return socket;
  }, CONNECTIONS);
  const through = (request: HttpRequest) =>
    send(request, { agent, headers: { host: "localhost" } }, { address: socketPath, stallMs });
  const binding: Binding = { kind: 0, hash: new Uint8Array(32) };
  return {
    origin: socketPath,
    send: through,
    bind: async () => ({ binding, send: through, close: async () => undefined }),
    close: async () => agent.destroy(),
  };
}

/** An agent that gets its connections from us. */
class GivenAgent extends Agent {
  readonly #open: () => Promise<Duplex>;

  constructor(open: () => Promise<Duplex>, maxSockets: number) {
    super({ keepAlive: true, maxSockets, maxFreeSockets: maxSockets, timeout: IDLE_MS });
    this.#open = open;
  }

  override createConnection(_: unknown, callback?: (error: Error | null, socket: Duplex) => void): undefined {
    this.#open().then(
      (socket) => callback!(null, socket),
      (error) => callback!(error, undefined as never),
    );
  }
}

/** For requests that must all go over this one connection. */
function singleAgent(socket: Duplex, address: string): Agent {
  let isUsed = false;
  return new GivenAgent(async () => {
    if (isUsed) throw new AppError("server_unreachable", { context: { address, detail: "the connection was lost." } });
    isUsed = true;
    return socket;
  }, 1);
}

type Limits = { readonly address: string; readonly stallMs: number };

async function send(request: HttpRequest, options: RequestOptions, limits: Limits): Promise<HttpAnswer> {
  const { method, path, headers, body, signal } = request;
  throwIfAborted(signal);
  const length = body === undefined ? undefined : body instanceof Uint8Array ? body.length : body.lengthBytes;
  const sent = httpRequest({
    ...options,
    method,
    path,
    headers: {
      ...headers,
      ...options.headers,
      ...(length === undefined ? {} : { "content-length": length }),
    },
  });
  const watch = new Watch(sent, limits, signal);
  try {
    const response = await answered(sent, body, watch);
    return {
      status: response.statusCode!,
      header: (name) => {
        const value = response.headers[name];
        return Array.isArray(value) ? value.join(", ") : value;
      },
      body: bodyOf(sent, response, watch),
    };
  } catch (error) {
    watch.end();
    sent.destroy();
    throw watch.errorOf(error);
  }
}

/** Sends the body and waits for the head of the answer, which may come before the body is sent: then the rest is not wanted. */
async function answered(sent: ClientRequest, body: HttpBody | undefined, watch: Watch): Promise<IncomingMessage> {
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on("response", resolve).on("error", reject);
  });
  let isEarly = false;
  const early = response.then(() => {
    isEarly = true;
  });
  early.catch(() => undefined);
  if (body === undefined) sent.end();
  else if (body instanceof Uint8Array) sent.end(body);
  else {
    for (const slice of body.slices()) {
      if (isEarly || sent.destroyed) break;
      if (!sent.write(slice)) await Promise.race([drained(sent), early]);
      watch.touch();
    }
    if (!isEarly) sent.end();
  }
  const answer = await response;
  watch.touch();
  return answer;
}

function drained(sent: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      sent.off("drain", done).off("close", done);
      resolve();
    };
    sent.on("drain", done).on("close", done);
  });
}

async function* bodyOf(sent: ClientRequest, response: IncomingMessage, watch: Watch): AsyncGenerator<Uint8Array> {
  try {
    for await (const slice of response) {
      // While its reader is busy, nothing is waited for.
      watch.pause();
      yield slice as Uint8Array;
      watch.touch();
    }
    if (!response.complete) throw new Error("the connection was lost");
  } catch (error) {
    throw watch.errorOf(error);
  } finally {
    watch.end();
    // A connection on which something is still to come is of no use to the next request.
    if (!response.complete || !sent.writableFinished) sent.destroy();
  }
}

/** Ends a request in which nothing moves, or that is not wanted any more, and says why it ended. */
class Watch {
  readonly #sent: ClientRequest;
  readonly #limits: Limits;
  readonly #signal: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reason: AppError | undefined;
  readonly #onAbort = (): void => this.#stop(new AppError("interrupted"));

  constructor(sent: ClientRequest, limits: Limits, signal: AbortSignal | undefined) {
    this.#sent = sent;
    this.#limits = limits;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort);
    this.touch();
  }

  /** Something has moved. */
  touch(): void {
    if (this.#timer) this.#timer.refresh();
    else
      this.#timer = setTimeout(
        () => this.#stop(this.#unreachable("nothing has moved for too long.")),
        this.#limits.stallMs,
      );
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  end(): void {
    this.pause();
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  errorOf(error: unknown): AppError {
    if (this.#reason) return this.#reason;
    if (error instanceof AppError) return error;
    return this.#unreachable(reasonOf(error), error);
  }

  #stop(reason: AppError): void {
    this.#reason ??= reason;
    this.#sent.destroy(reason);
  }

  #unreachable(detail: string, cause?: unknown): AppError {
    return new AppError("server_unreachable", { cause, context: { address: this.#limits.address, detail } });
  }
}
