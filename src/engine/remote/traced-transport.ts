// A transport that says which run its requests are of, and notes how each was answered with the id that the server gave it: so a
// line here and one in the server's log are found by each other. docs/observability.md.

import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/log.ts";
import type { HttpAnswer, HttpRequest, HttpTransport } from "./transport.ts";

const RUN_HEADER = "x-run-id";
const REQUEST_HEADER = "x-request-id";

export type Tracing = {
  /** 16 hex digits: names one run of the program. */
  readonly run: string;
  readonly logger: Logger;
  readonly clock: Clock;
};

export function tracedTransport(transport: HttpTransport, tracing: Tracing): HttpTransport {
  const send = (through: Pick<HttpTransport, "send">) => (request: HttpRequest) => traced(through, request, tracing);
  return {
    origin: transport.origin,
    send: send(transport),
    async bind(signal) {
      const connection = await transport.bind(signal);
      return { binding: connection.binding, send: send(connection), close: () => connection.close() };
    },
    close: () => transport.close(),
  };
}

async function traced(
  through: Pick<HttpTransport, "send">,
  request: HttpRequest,
  { run, logger, clock }: Tracing,
): Promise<HttpAnswer> {
  const { method } = request;
  const startMs = clock.monotonic();
  try {
    const answer = await through.send({ ...request, headers: { ...request.headers, [RUN_HEADER]: run } });
    const durationMs = Math.round(clock.monotonic() - startMs);
    const requestId = answer.header(REQUEST_HEADER);
    logger.debug("a request was answered", { run, requestId, method, status: answer.status, durationMs });
    return answer;
  } catch (error) {
    logger.debug("a request was not answered", { run, method, error: error as Error });
    throw error;
  }
}
