// The page apart from its data: serves the bundle, and passes what is asked of the API through to a server elsewhere, so that for a
// browser both are one origin. It looks at nothing that passes, keeps nothing, and speaks only to the server that it was given.

import {
  type Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { pipeline } from "node:stream/promises";
import type { RandomSource } from "../core/clock.ts";
import { AppError, isAppError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { outward, sendProblem } from "../server/http/answer.ts";
import type { Dispatch } from "../server/http/dispatch.ts";
import { openBundle } from "../server/page/bundle.ts";

export type PageServerOptions = {
  /** `https://host:port` of the server. */
  readonly server: string;
  /** Connections to it, checked before a byte of a request goes out. */
  readonly agent: Agent;
  /** Under which browsers have this page; known once it listens. */
  readonly origins: ReadonlySet<string>;
  readonly random: RandomSource;
  readonly logger: Logger;
};

const PASSED = /^\/(?:api|health)\/|^\/ca\.crt$/;
/** What belongs to one connection (RFC 9110, 7.6.1), and what we say ourselves. */
const HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
  "origin",
]);
/** The origin to which logins of devices are bound: the server's own, wherever the page came from. */
export const ORIGIN_HEADER = "x-cyberbackup-origin";

export function pageDispatch(options: PageServerOptions): Dispatch {
  const bundle = openBundle(options.random);
  return async (_door, request, response) => {
    const requestId = Buffer.from(options.random.bytes(12)).toString("hex");
    try {
      const path = (request.url ?? "").split("?", 1)[0]!;
      if (PASSED.test(path)) await passThrough(options, request, response);
      else await bundle.serve(request, response);
    } catch (thrown) {
      const error = outward(thrown);
      if (error.code === "internal") options.logger.error("a request failed", { requestId, code: error.code });
      if (response.headersSent || response.destroyed) response.destroy();
      else sendProblem(response, error, requestId);
    }
  };
}

/** Throws `forbidden` for a page of another site, `server_unreachable`, `server_untrusted`. */
async function passThrough(
  options: PageServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin } = request.headers;
  if (origin !== undefined && !options.origins.has(origin)) {
    throw new AppError("forbidden", { context: { caller: "a page of another site", needed: "this page" } });
  }
  const { host, origin: serverOrigin } = new URL(options.server);
  const headers: Record<string, string | string[]> = { host };
  for (const [name, value] of Object.entries(request.headers)) {
    if (!HOP.has(name) && value !== undefined) headers[name] = value;
  }
  if (origin !== undefined) headers.origin = serverOrigin;
  const sent = httpRequest({ agent: options.agent, method: request.method, path: request.url, headers });
  response.on("close", () => sent.destroy());
  const answer = answerTo(sent, options.server);
  // The answer may come before the body has gone out: then the server does not want the rest.
  const sending = pipeline(request, sent).catch(() => undefined);
  const came = await answer;
  response.statusCode = came.statusCode ?? 502;
  for (const [name, value] of Object.entries(came.headers)) {
    if (!HOP.has(name) && value !== undefined) response.setHeader(name, value);
  }
  response.setHeader(ORIGIN_HEADER, serverOrigin);
  response.flushHeaders();
  await pipeline(came, response).catch(() => response.destroy());
  await sending;
}

function answerTo(sent: ClientRequest, address: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.on("response", resolve);
    sent.on("error", (cause) => {
      const detail = `${cause.message}.`;
      reject(isAppError(cause) ? cause : new AppError("server_unreachable", { cause, context: { address, detail } }));
    });
  });
}
