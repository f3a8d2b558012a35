// Typed calls between a page and its workers, over message ports: both ends may call the other. A call can be cut off by a signal,
// tells of its progress by events, and may move buffers and streams instead of copying them. Errors arrive as the AppErrors that they were.

import { AppError, ERRORS, type ErrorCode, isAppError } from "../../core/errors.ts";

/** What one end can be asked: by name, what goes in, what comes back, what is told meanwhile. */
export type Api = Readonly<
  Record<string, { readonly input: unknown; readonly output: unknown; readonly event?: unknown }>
>;

type EventOf<Entry> = Entry extends { readonly event: infer Event } ? Event : never;

export type CallContext<Event> = {
  /** Fires when the caller has lost interest. */
  readonly signal: AbortSignal;
  readonly emit: (event: Event, transfer?: Transferable[]) => void;
  /** The answer moves these. */
  readonly transfer: (...objects: Transferable[]) => void;
};

/** The work behind an Api. */
export type Service<A extends Api> = {
  readonly [Name in keyof A]: (
    input: A[Name]["input"],
    call: CallContext<EventOf<A[Name]>>,
  ) => Promise<A[Name]["output"]> | A[Name]["output"];
};

export type CallOptions<Event> = {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: Event) => void) | undefined;
  readonly transfer?: Transferable[] | undefined;
};

/** A worker, or what a worker is to itself. */
export type Endpoint = {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
};

type Message =
  | { readonly type: "call"; readonly id: number; readonly name: string; readonly input: unknown }
  | { readonly type: "abort"; readonly id: number }
  | { readonly type: "event"; readonly id: number; readonly event: unknown }
  | { readonly type: "answer"; readonly id: number; readonly output: unknown }
  | { readonly type: "error"; readonly id: number; readonly error: ErrorForm };

type AnyService = Readonly<Record<string, (input: unknown, call: CallContext<unknown>) => unknown>>;

type ErrorForm = { readonly code: ErrorCode; readonly context: AppError["context"] };

type Pending = {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: AppError) => void;
  readonly onEvent: ((event: unknown) => void) | undefined;
};

export class Peer<Theirs extends Api> {
  readonly #endpoint: Endpoint;
  readonly #service: AnyService;
  readonly #pending = new Map<number, Pending>();
  readonly #running = new Map<number, AbortController>();
  readonly #listener = (event: MessageEvent): void => this.#receive(event.data as Message);
  #nextId = 1;
  #closedBy: AppError | undefined;

  /** `service` is what the other end may ask of this one. */
  constructor(endpoint: Endpoint, service: Readonly<Record<string, unknown>> = {}) {
    this.#endpoint = endpoint;
    this.#service = service as AnyService;
    endpoint.addEventListener("message", this.#listener);
  }

  /** Throws what the other end threw, `interrupted`, and what `close` was given. */
  async call<Name extends keyof Theirs & string>(
    name: Name,
    input: Theirs[Name]["input"],
    { signal, onEvent, transfer = [] }: CallOptions<EventOf<Theirs[Name]>> = {},
  ): Promise<Theirs[Name]["output"]> {
    if (this.#closedBy) throw this.#closedBy;
    if (signal?.aborted) throw new AppError("interrupted");
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { resolve, reject, onEvent: onEvent as Pending["onEvent"] });
    const abort = (): void => this.#post({ type: "abort", id });
    signal?.addEventListener("abort", abort);
    try {
      this.#post({ type: "call", id, name, input }, transfer);
      return (await promise) as Theirs[Name]["output"];
    } finally {
      this.#pending.delete(id);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Nothing comes any more: what waits fails with `reason`, what runs here is cut off. */
  close(reason: AppError): void {
    this.#closedBy ??= reason;
    this.#endpoint.removeEventListener("message", this.#listener);
    for (const { reject } of this.#pending.values()) reject(reason);
    for (const controller of this.#running.values()) controller.abort(reason);
  }

  #receive(message: Message): void {
    switch (message.type) {
      case "call":
        void this.#answer(message.id, message.name, message.input);
        return;
      case "abort":
        this.#running.get(message.id)?.abort(new AppError("interrupted"));
        return;
      case "event":
        this.#pending.get(message.id)?.onEvent?.(message.event);
        return;
      case "answer":
        this.#pending.get(message.id)?.resolve(message.output);
        return;
      case "error":
        this.#pending.get(message.id)?.reject(errorOf(message.error));
    }
  }

  async #answer(id: number, name: string, input: unknown): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    const moved: Transferable[] = [];
    try {
      const work = Object.hasOwn(this.#service, name) ? this.#service[name] : undefined;
      if (!work) throw new AppError("internal", { context: { detail: `nobody answers to ${name}` } });
      const output = await work(input, {
        signal: controller.signal,
        emit: (event, transfer = []) => this.#post({ type: "event", id, event }, transfer),
        transfer: (...objects) => void moved.push(...objects),
      });
      this.#post({ type: "answer", id, output }, moved);
    } catch (error) {
      this.#post({ type: "error", id, error: formOf(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  #post(message: Message, transfer: Transferable[] = []): void {
    if (!this.#closedBy) this.#endpoint.postMessage(message, transfer);
  }
}

function formOf(error: unknown): ErrorForm {
  if (isAppError(error)) return { code: error.code, context: error.context };
  if (error instanceof Error) return { code: "internal", context: { detail: `${error.name}: ${error.message}` } };
  return { code: "internal", context: { detail: String(error) } };
}

function errorOf({ code, context }: ErrorForm): AppError {
  return new AppError(Object.hasOwn(ERRORS, code) ? code : "internal", { context });
}
