// Carries requests of the page to the server that it came from, with the cookie of its sign-in. Never to anywhere else, and never
// tries again by itself.

import { AppError, throwIfAborted } from "../../core/errors.ts";
import type { Sender } from "../../engine/remote/exchange.ts";
import type { HttpAnswer, HttpBody, HttpRequest } from "../../engine/remote/transport.ts";

export const pageSender: Sender = { send };

/** Throws `server_unreachable`, `interrupted`. */
async function send({ method, path, headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
  throwIfAborted(signal);
  try {
    const response = await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      ...(body === undefined ? {} : { body: bodyOf(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    return {
      status: response.status,
      header: (name) => response.headers.get(name) ?? undefined,
      body: slicesOf(response, signal),
    };
  } catch (cause) {
    throw lost(cause, signal);
  }
}

function bodyOf(body: HttpBody): BodyInit {
  if (body instanceof Uint8Array) return body as Uint8Array<ArrayBuffer>;
  return new Blob([...body.slices()].map((slice) => slice.slice() as Uint8Array<ArrayBuffer>));
}

async function* slicesOf(response: Response, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isOver = done;
      if (done) return;
      yield value;
    }
  } catch (cause) {
    isOver = true;
    throw lost(cause, signal);
  } finally {
    if (!isOver) await reader.cancel().catch(() => undefined);
  }
}

function lost(cause: unknown, signal: AbortSignal | undefined): AppError {
  if (signal?.aborted) return new AppError("interrupted", { cause });
  const detail = "the connection failed.";
  return new AppError("server_unreachable", { cause, context: { address: location.origin, detail } });
}
