// Bodies in MessagePack: the canonical subset of format.md, checked by a zod schema. Ids are bytes on the wire and hex in the
// program. What does not fit is `request_invalid`, which names the field and never its value.

import { z } from "zod";
import { type Bytes, fromHex, toHex } from "../../../core/bytes.ts";
import { AppError } from "../../../core/errors.ts";
import { encodeMap } from "../envelope.ts";
import { readMessagePack } from "../msgpack-reader.ts";

/** Throws `request_invalid`. */
export function decodeMessage<Schema extends z.ZodType>(schema: Schema, bytes: Uint8Array): z.output<Schema> {
  const value = readMessagePack(bytes, (detail) => refuse(`The body is not valid: ${detail}.`));
  return checkMessage(schema, value);
}

export function encodeMessage<Schema extends z.ZodType>(schema: Schema, value: z.output<Schema>): Bytes {
  return encodeMap(z.encode(schema, value) as Record<string, unknown>);
}

/** Judges a value that came as JSON or from a query. Throws `request_invalid`. */
export function checkMessage<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = z.safeDecode(schema, value as z.input<Schema>);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  return refuse(`${issue.path.length === 0 ? "the body" : issue.path.join(".")}: ${issue.message}`);
}

/** Raw bytes of exactly `size`, or of at most `size.max`. */
export function bin(size: number | { readonly max: number }) {
  const fits = (length: number): boolean => (typeof size === "number" ? length === size : length <= size.max);
  const words = typeof size === "number" ? `${size} bytes` : `at most ${size.max} bytes`;
  return z
    .custom<Bytes>((value) => value instanceof Uint8Array && fits(value.length), `not bin of ${words}`)
    .meta({ type: "string", format: "binary", description: words });
}

/** An id of `length` bytes on the wire, lower-case hex in the program. */
export function binId<Id extends string>(length: number) {
  return z.codec(
    bin(length),
    z.custom<Id>((value) => typeof value === "string"),
    {
      decode: (bytes) => toHex(bytes) as Id,
      encode: (id) => fromHex(id),
    },
  );
}

/** An id as it stands in a path or in JSON. */
export function hexId<Id extends string>(length: number) {
  return z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${2 * length}}$`), `not ${2 * length} hex digits`) as unknown as z.ZodType<Id, string>;
}

/** A number that a blockNo, a size or a time may be. */
export const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

function refuse(detail: string): never {
  throw new AppError("request_invalid", { context: { detail } });
}
