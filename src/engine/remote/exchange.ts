// One request of a route and its answer: coded, judged by the route's schema, problems turned into the errors that they were on the
// server. Tries once. What a server answers is bounded and never believed.

import { type Bytes, concatBytes, tryUtf8Decode, utf8 } from "../../core/bytes.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import { checkMessage, decodeMessage, encodeMessage } from "../../wire/v4/api/coding.ts";
import { MEDIA } from "../../wire/v4/api/media.ts";
import { errorOfProblem } from "../../wire/v4/api/problem.ts";
import { pathOf, type Route } from "../../wire/v4/api/route.ts";
import type { AskedBody, GivenAnswer } from "../../wire/v4/api/route-types.ts";
import type { HttpAnswer, HttpBody, HttpRequest } from "./transport.ts";

export type Asked<R extends Route> = {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
} & (R["body"] extends object ? { readonly body: AskedBody<R, HttpBody> } : { readonly body?: undefined });

export type AnswerOf<R extends Route> = GivenAnswer<R, Bytes>;

export type Sender = { send(request: HttpRequest): Promise<HttpAnswer> };

export type Exchanged<R extends Route> = {
  readonly status: number;
  readonly value: AnswerOf<R>;
  readonly header: HttpAnswer["header"];
};

/** RFC 9110, 13.1.2 and 15.4.5. */
export const IF_NONE_MATCH = "if-none-match";
export const NOT_MODIFIED = 304;

/** No answer that is held whole is longer: a snapshot record is the largest. */
const ANSWER_MAX_BYTES = 96 * 2 ** 20;
const PROBLEM_MAX_BYTES = 64 * 1024;

/** Throws the problem, `answer_invalid`, and what the transport throws. */
export async function exchange<R extends Route>(sender: Sender, route: R, asked: Asked<R>): Promise<Exchanged<R>> {
  const answer = await begin(sender, route, asked);
  const bytes = await collect(answer.body, ANSWER_MAX_BYTES);
  const value = (answer.status === NOT_MODIFIED ? undefined : decodeAnswer(route, bytes)) as AnswerOf<R>;
  return { status: answer.status, value, header: (name) => answer.header(name) };
}

/** The answer before its body is read, once it is known to be no problem. */
export async function begin<R extends Route>(sender: Sender, route: R, asked: Asked<R>): Promise<HttpAnswer> {
  const query = asked.query === undefined ? "" : `?${new URLSearchParams(stringsOf(asked.query))}`;
  const { body } = route;
  const answer = await sender.send({
    method: route.method,
    path: pathOf(route, asked.params ?? {}) + query,
    headers: {
      accept: acceptOf(route),
      ...(body ? { "content-type": MEDIA[body.kind] } : {}),
      ...asked.headers,
    },
    body: body && encodeBody(route, asked.body),
    signal: asked.signal,
  });
  const { status } = answer;
  if ((status >= 200 && status < 300) || (status === NOT_MODIFIED && asked.headers?.[IF_NONE_MATCH])) return answer;
  throw await problemIn(answer);
}

export function answerInvalid(detail: string, cause?: unknown): AppError {
  return new AppError("answer_invalid", { cause, context: { detail } });
}

/** The whole of a body. Throws `answer_invalid` past `maxBytes`. */
export async function collect(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const slice of body) {
    length += slice.length;
    if (length > maxBytes) throw answerInvalid("it is too long.");
    parts.push(slice.slice());
  }
  return concatBytes(parts);
}

function acceptOf({ answer }: Route): string {
  switch (answer.kind) {
    case "empty":
      return MEDIA.problem;
    case "events":
      return `text/event-stream, ${MEDIA.problem}`;
    case "text":
      return `text/plain, ${MEDIA.problem}`;
    default:
      return `${MEDIA[answer.kind]}, ${MEDIA.problem}`;
  }
}

function encodeBody(route: Route, value: unknown): HttpBody {
  const { body } = route;
  if (body?.kind === "msgpack") return encodeMessage(body.schema, value);
  if (body?.kind === "json") return utf8(JSON.stringify(value));
  return value as HttpBody;
}

function decodeAnswer({ answer }: Route, bytes: Bytes): unknown {
  if (answer.kind === "object") return bytes;
  if (answer.kind !== "msgpack" && answer.kind !== "json") return undefined;
  try {
    return answer.kind === "msgpack"
      ? decodeMessage(answer.schema, bytes)
      : checkMessage(answer.schema, tryJson(bytes));
  } catch (error) {
    if (!isAppError(error, "request_invalid")) throw error;
    throw answerInvalid(String(error.context.detail), error);
  }
}

async function problemIn(answer: HttpAnswer): Promise<AppError> {
  const { status } = answer;
  const bytes = await collect(answer.body, PROBLEM_MAX_BYTES);
  const retryAfter = retryAfterOf(answer);
  const error = errorOfProblem(tryJson(bytes));
  if (error && retryAfter !== undefined) {
    return new AppError(error.code, { context: { ...error.context, retryAfter } });
  }
  if (error) return error;
  // A proxy before the server answers in its own words.
  const detail = `it answered with status ${status}.`;
  if (status === 502 || status === 503 || status === 504) return unreachable(detail, { retryAfter });
  return answerInvalid(detail);
}

function unreachable(detail: string, more: { retryAfter: number | undefined }): AppError {
  return new AppError("server_unreachable", { context: { address: "the other end", detail, ...more } });
}

/** Seconds (RFC 9110, 10.2.3); dates are for pages. */
function retryAfterOf(answer: HttpAnswer): number | undefined {
  const text = answer.header("retry-after");
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

function tryJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(tryUtf8Decode(bytes) ?? "");
  } catch {
    return undefined;
  }
}

function stringsOf(query: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
}
