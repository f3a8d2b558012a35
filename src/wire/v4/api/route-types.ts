// What a caller of a route hands over and gets, from the schemas of its row. Raw bodies are whatever the caller's platform has.

import type { z } from "zod";
import type { Route } from "./route.ts";

/** MessagePack is coded by the schema; JSON is what the schema takes in, so that defaults may be left out. */
export type AskedBody<R extends Route, Raw> =
  NonNullable<R["body"]> extends infer B
    ? B extends { readonly kind: "msgpack"; readonly schema: infer S extends z.ZodType }
      ? z.output<S>
      : B extends { readonly kind: "json"; readonly schema: infer S extends z.ZodType }
        ? z.input<S>
        : Raw
    : never;

/** undefined for answers that are streams: those are read by hand. */
export type GivenAnswer<R extends Route, Raw> = R["answer"] extends { readonly schema: infer S extends z.ZodType }
  ? z.output<S>
  : R["answer"]["kind"] extends "object"
    ? Raw
    : undefined;
