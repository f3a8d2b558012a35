// Sends what is large by XMLHttpRequest, the only thing in a browser that tells how much of a body is gone: so that progress is seen
// within a pack, and a slow network is told from a dead one. Everything else goes by fetch.

import { LIMITS } from "../../core/config-schema.ts";
import { AppError, throwIfAborted } from "../../core/errors.ts";
import type { HttpAnswer, HttpBody, HttpRequest, HttpTransport } from "../../engine/remote/transport.ts";

const LARGE_FROM_BYTES = 256 * 1024;

/** `onSent` hears of bytes that left; of negative ones when a body has to be sent again. */
export function uploadTransport(base: HttpTransport, onSent: (bytes: number) => void): HttpTransport {
  return {
    ...base,
    send(request) {
      const { body } = request;
      if (body === undefined || lengthOf(body) < LARGE_FROM_BYTES) return base.send(request);
      return sendLarge(base.origin, request, body, onSent);
    },
  };
}

function sendLarge(
  origin: string,
  { method, path, headers, signal }: HttpRequest,
  body: HttpBody,
  onSent: (bytes: number) => void,
): Promise<HttpAnswer> {
  throwIfAborted(signal);
  const request = new XMLHttpRequest();
  let sent = 0;
  const unreachable = (detail: string): AppError =>
    new AppError("server_unreachable", { context: { address: origin, detail } });
  return new Promise<HttpAnswer>((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      end();
    };
    const fail = (error: AppError): void =>
      settle(() => {
        onSent(-sent);
        reject(error);
      });
    const onAbort = (): void => {
      request.abort();
      fail(new AppError("interrupted"));
    };
    const touch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        request.abort();
        fail(unreachable("nothing has moved for too long."));
      }, LIMITS.stallMs.value);
    };
    request.open(method, origin + path);
    request.responseType = "arraybuffer";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => {
      touch();
      onSent(loaded - sent);
      sent = loaded;
    };
    request.onprogress = touch;
    request.onerror = () => fail(unreachable("the connection failed."));
    request.onload = () => settle(() => resolve(answerOf(request)));
    signal?.addEventListener("abort", onAbort);
    touch();
    request.send(blobOf(body));
  });
}

function answerOf(request: XMLHttpRequest): HttpAnswer {
  const bytes = new Uint8Array((request.response as ArrayBuffer | null) ?? new ArrayBuffer(0));
  return {
    status: request.status,
    header: (name) => request.getResponseHeader(name) ?? undefined,
    body: (async function* () {
      yield bytes;
    })(),
  };
}

/** The browser takes a copy: slices are their giver's again afterwards. */
function blobOf(body: HttpBody): Blob {
  return new Blob((body instanceof Uint8Array ? [body] : joined(body.slices())) as BlobPart[]);
}

/** Slices that follow each other in memory, as one: a browser takes its time over each part of a Blob. */
function joined(slices: Iterable<Uint8Array>): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const slice of slices) {
    const last = parts.at(-1);
    const follows = last?.buffer === slice.buffer && last.byteOffset + last.length === slice.byteOffset;
    if (follows) parts[parts.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + slice.length);
    else parts.push(slice);
  }
  return parts;
}

function lengthOf(body: HttpBody): number {
  return body instanceof Uint8Array ? body.length : body.lengthBytes;
}
