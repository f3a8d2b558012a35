// Writes answers: encoded, streamed with back-pressure, or as a problem. A problem tells a caller what it may know: what went
// wrong on the server's own disk stays in the server's log, under the request's id.

import type { ServerResponse } from "node:http";
import { type Bytes, releaseWhole } from "../../core/bytes.ts";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError, ERRORS, isAppError } from "../../core/errors.ts";
import { encodeMessage } from "../../wire/v4/api/coding.ts";
import { MEDIA } from "../../wire/v4/api/media.ts";
import { problemOf } from "../../wire/v4/api/problem.ts";
import type { Route } from "../../wire/v4/api/route.ts";
import type { ObjectAnswer, Reply, ServerSentEvent } from "./call.ts";
import { answerMedia } from "./negotiation.ts";

const HEARTBEAT_MS = 15_000;
/** Default waits for errors that do not know better. */
const RETRY_AFTER_SECONDS: Readonly<Record<number, number>> = { 423: 5, 429: 5, 503: 2 };

export async function sendAnswer(
  response: ServerResponse,
  route: Route,
  reply: Reply,
  answer: unknown,
  signal: AbortSignal,
): Promise<void> {
  const { answer: kind } = route;
  response.statusCode = reply.status ?? (kind.kind === "empty" ? 204 : 200);
  if (reply.status === 304) {
    response.end();
    return;
  }
  const media = answerMedia(kind);
  if (media !== undefined) response.setHeader("Content-Type", media);
  switch (kind.kind) {
    case "empty":
      response.end();
      return;
    case "msgpack":
      return sendBytes(response, encodeMessage(kind.schema, answer), signal);
    case "json":
      return sendBytes(response, Buffer.from(JSON.stringify(answer)), signal);
    case "text":
      return sendBytes(response, Buffer.from(answer as string), signal);
    case "object":
      return sendObject(response, answer as ObjectAnswer, signal);
    case "blocks":
      return sendBlocks(response, answer as AsyncIterable<Bytes>, signal);
    case "events":
      return sendEvents(response, answer as AsyncIterable<ServerSentEvent>, signal);
  }
}

/** Says what went wrong, as far as an answer has not begun. */
export function sendProblem(response: ServerResponse, error: AppError, requestId: string): void {
  const status = typeof error.context.status === "number" ? error.context.status : ERRORS[error.code].http;
  const problem = { ...problemOf(error, requestId), status };
  const wait = error.context.retryAfter ?? RETRY_AFTER_SECONDS[status];
  if (wait !== undefined) response.setHeader("Retry-After", String(wait));
  if (status === 401) response.setHeader("WWW-Authenticate", "Bearer");
  response.removeHeader("ETag");
  response.statusCode = status;
  response.setHeader("Content-Type", MEDIA.problem);
  const bytes = Buffer.from(JSON.stringify(problem));
  response.setHeader("Content-Length", bytes.length);
  response.end(bytes);
}

/** What a caller may know of `thrown`. */
export function outward(thrown: unknown): AppError {
  if (!isAppError(thrown))
    return new AppError("internal", { cause: thrown, context: { detail: "see the server's log." } });
  const { code, context } = thrown;
  const hidden: Readonly<Record<string, string>> =
    code === "io" || code === "disk_full" || code === "index_refused"
      ? { path: "the server's disk", detail: "see the server's log." }
      : code === "internal" || code === "index_corrupt"
        ? { detail: "see the server's log." }
        : {};
  const shown = Object.fromEntries(Object.entries(context).map(([name, value]) => [name, hidden[name] ?? value]));
  return new AppError(code, { cause: thrown, context: shown });
}

/** Resolves when more may be written. Throws the signal's reason; a reader that takes nothing for long is gone. */
export async function write(
  response: ServerResponse,
  bytes: Uint8Array,
  signal: AbortSignal,
  onWritten?: (error: Error | null | undefined) => void,
): Promise<void> {
  signal.throwIfAborted();
  if (response.write(bytes, onWritten)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (end: () => void): void => {
      clearTimeout(stall);
      response.off("drain", onDrain);
      signal.removeEventListener("abort", onAbort);
      end();
    };
    const onDrain = (): void => settle(resolve);
    const onAbort = (): void => settle(() => reject(signal.reason));
    const stall = setTimeout(() => response.destroy(), LIMITS.serverStallMs.value);
    response.on("drain", onDrain);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

async function sendBytes(response: ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  response.setHeader("Content-Length", bytes.length);
  await write(response, bytes, signal);
  response.end();
}

async function sendObject(response: ServerResponse, answer: ObjectAnswer, signal: AbortSignal): Promise<void> {
  if (answer.content instanceof Uint8Array) return sendBytes(response, answer.content, signal);
  response.setHeader("Content-Length", answer.sizeBytes);
  await sendStream(response, answer.content, signal);
}

async function sendStream(
  response: ServerResponse,
  slices: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for await (const slice of slices) await write(response, slice, signal);
  response.end();
}

/**
 * Each slice is the answer's own: its memory is given back when it is on its way, since the collector would come often and late for so much.
 * After an error nobody knows who still looks at it.
 */
async function sendBlocks(response: ServerResponse, slices: AsyncIterable<Bytes>, signal: AbortSignal): Promise<void> {
  for await (const slice of slices) await write(response, slice, signal, (error) => error ?? releaseWhole(slice));
  response.end();
}

async function sendEvents(
  response: ServerResponse,
  events: AsyncIterable<ServerSentEvent>,
  signal: AbortSignal,
): Promise<void> {
  response.flushHeaders();
  const heartbeat = setInterval(() => response.write(": \n\n"), HEARTBEAT_MS);
  try {
    for await (const { id, event, data } of events) {
      const lines = [...(id === undefined ? [] : [`id: ${id}`]), `event: ${event}`, `data: ${JSON.stringify(data)}`];
      await write(response, Buffer.from(`${lines.join("\n")}\n\n`), signal);
    }
    response.end();
  } finally {
    clearInterval(heartbeat);
  }
}
