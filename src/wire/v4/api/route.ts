// What a route of the API is. A route is data: the server mounts it, the client calls it, openapi.json and the tests that walk
// every route are made from it. Words: docs/protocol-v4.md, Who calls.

import type { z } from "zod";

/**
 * Who may call: a device of the vault; any person, whatever role they have; people by least role in the vault, or in the whole
 * server where no vault is named (a greater role may do all that a lesser one may, and this machine's socket is an owner); anyone.
 */
export type Caller = "anyone" | "device" | "person" | "viewer" | "operator" | "owner";

export type Body =
  | { readonly kind: "msgpack" | "json"; readonly schema: z.ZodType; readonly maxBytes: number }
  /** Raw bytes, never held in memory as a whole by the server when `isStream`. */
  | { readonly kind: "pack" | "object"; readonly maxBytes: number; readonly isStream: boolean };

export type Answer =
  | { readonly kind: "msgpack" | "json"; readonly schema: z.ZodType }
  | { readonly kind: "object" | "blocks" | "empty" | "events" | "text" };

export type Route = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Parameters in braces: `/api/v4/vaults/{vault}/head`. */
  readonly path: string;
  /** Any one of these. */
  readonly who: readonly Caller[];
  /** One sentence for openapi.json. */
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: Body;
  readonly answer: Answer;
  /** True when people who have a second factor must have given it within five minutes. */
  readonly isGuarded?: boolean;
};

/** Keeps the literal types of a table of routes. */
export function routes<const Table extends Readonly<Record<string, Route>>>(table: Table): Table {
  return table;
}

/** The path with its parameters filled in. */
export function pathOf(route: Pick<Route, "path">, parameters: Readonly<Record<string, string | number>>): string {
  return route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(parameters[name])));
}
