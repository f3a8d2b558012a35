// The little that a remote vault needs of HTTP, so that the engine is the same over Node and over a browser's fetch. A transport
// speaks to one origin, never tries again by itself, and has checked who is at the other end before it sends a byte of a request.

import type { Bytes } from "../../core/bytes.ts";

/** Can be read as often as it takes. */
export type HttpBody = Bytes | { readonly lengthBytes: number; slices(): Iterable<Uint8Array> };

export type HttpRequest = {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: HttpBody | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type HttpAnswer = {
  readonly status: number;
  /** By lower-case name. */
  header(name: string): string | undefined;
  /** To be read to its end or left by `return`. Throws like `send`. A slice is only valid until the next one is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
};

/** What a login is bound to; kinds as in wire/v4/login.ts. */
export type Binding = { readonly kind: number; readonly hash: Bytes };

/** One connection of its own: what it is bound to is what every request on it goes through. */
export type BoundConnection = {
  readonly binding: Binding;
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
};

export interface HttpTransport {
  /** `https://host:port`. */
  readonly origin: string;
  /** Throws `server_unreachable` (nothing came of it, or not all), `server_untrusted`, `interrupted`. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  bind(signal: AbortSignal | undefined): Promise<BoundConnection>;
  close(): Promise<void>;
}
