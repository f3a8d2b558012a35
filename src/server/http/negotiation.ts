// Which version is spoken: by media type, before anything else of a request is looked at (docs/protocol-v4.md, Transport).

import type { IncomingMessage } from "node:http";
import { AppError } from "../../core/errors.ts";
import { MEDIA } from "../../wire/v4/api/media.ts";
import type { Answer, Route } from "../../wire/v4/api/route.ts";

const EVENTS = "text/event-stream";
/** Of metrics (prometheus.io/docs/instrumenting/exposition_formats). */
const TEXT = "text/plain; version=0.0.4; charset=utf-8";

/** The media type of a route's answer; undefined without a body. */
export function answerMedia(answer: Answer): string | undefined {
  if (answer.kind === "empty") return undefined;
  if (answer.kind === "text") return TEXT;
  return answer.kind === "events" ? EVENTS : MEDIA[answer.kind];
}

/** Throws `media_unknown` with status 415 or 406. */
export function negotiate(request: IncomingMessage, route: Route): void {
  const { body } = route;
  if (body !== undefined) {
    const wanted = MEDIA[body.kind];
    const sent = mainType(request.headers["content-type"] ?? "");
    if (sent !== wanted) throw unknown(sent || "a body without a type", wanted, 415);
  }
  const answer = answerMedia(route.answer);
  const { accept } = request.headers;
  if (answer === undefined || accept === undefined) return;
  if (!accept.split(",").some((range) => matches(mainType(range), mainType(answer))))
    throw unknown(accept, answer, 406);
}

function matches(range: string, type: string): boolean {
  return range === "*/*" || range === type || range === `${type.split("/", 1)[0]}/*`;
}

function mainType(value: string): string {
  return value.split(";", 1)[0]!.trim().toLowerCase();
}

function unknown(asked: string, spoken: string, status: number): AppError {
  // What a stranger wrote goes into a text for people: printable characters only, and not many.
  const shown = asked.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
  return new AppError("media_unknown", { context: { asked: shown, spoken, status } });
}
