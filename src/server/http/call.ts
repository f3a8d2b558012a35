// One request as a handler sees it, typed by its row in a table of routes, and what the handler answers.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { z } from "zod";
import type { Bytes } from "../../core/bytes.ts";
import type { ParamsOf } from "../../wire/v4/api/parameters.ts";
import type { Route } from "../../wire/v4/api/route.ts";
import type { ServedVault } from "../vaults.ts";
import type { Principal } from "./principal.ts";

export type Call<R extends Route = Route> = {
  readonly params: ParamsOf<R["path"]>;
  readonly query: R extends { readonly query: infer Q extends z.ZodType } ? z.output<Q> : undefined;
  readonly body: BodyOf<R>;
  readonly principal: Principal;
  /** Of routes with `{vault}` in their path. */
  readonly vault: R["path"] extends `${string}{vault}${string}` ? ServedVault : undefined;
  readonly requestId: string;
  /** Who is at the other end, for limits and the audit trail; "local" on the socket. */
  readonly address: string;
  /** Fires when the caller is gone, its device is revoked, or the server stops. */
  readonly signal: AbortSignal;
  readonly request: IncomingMessage;
  readonly reply: Reply;
};

/** What a handler may say beside its answer. */
export type Reply = {
  /** Default 200, 204 without a body. */
  status: number | undefined;
  header(name: string, value: string | readonly string[]): void;
};

type BodyOf<R extends Route> = R extends { readonly body: infer B }
  ? B extends { readonly schema: infer S extends z.ZodType }
    ? z.output<S>
    : B extends { readonly isStream: true }
      ? AsyncIterable<Uint8Array>
      : Bytes
  : undefined;

export type AnswerOf<R extends Route> = R["answer"] extends { readonly schema: infer S extends z.ZodType }
  ? z.output<S>
  : R["answer"]["kind"] extends "object"
    ? ObjectAnswer
    : R["answer"]["kind"] extends "blocks"
      ? AsyncIterable<Uint8Array>
      : R["answer"]["kind"] extends "events"
        ? AsyncIterable<ServerSentEvent>
        : R["answer"]["kind"] extends "text"
          ? string
          : undefined;

export type ObjectAnswer = {
  readonly sizeBytes: number;
  readonly content: Bytes | AsyncIterable<Uint8Array>;
};

export type ServerSentEvent = { readonly id?: string; readonly event: string; readonly data: unknown };

export type Handlers<Table extends Readonly<Record<string, Route>>> = {
  readonly [K in keyof Table]: (call: Call<Table[K]>) => Promise<AnswerOf<Table[K]>> | AnswerOf<Table[K]>;
};

/** A route with its handler, ready to be mounted. */
export type Mounted = {
  readonly name: string;
  readonly route: Route;
  readonly handle: (call: Call) => unknown;
};

/** Pairs a table of routes with its handlers. */
export function mount<const Table extends Readonly<Record<string, Route>>>(
  table: Table,
  handlers: Handlers<Table>,
): Mounted[] {
  return Object.entries(table).map(([name, route]) => ({
    name,
    route,
    handle: handlers[name] as unknown as Mounted["handle"],
  }));
}

/** Requests that speak for themselves: what better-auth answers, static files. */
export type RawRoute = {
  /** All paths that begin so. */
  readonly prefix: string;
  readonly handle: (
    request: IncomingMessage,
    response: ServerResponse,
    about: { readonly requestId: string; readonly address: string; readonly signal: AbortSignal },
  ) => Promise<void>;
};
