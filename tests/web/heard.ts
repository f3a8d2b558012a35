// Everything that a server in this process hears: request lines, headers and bodies of every request, as they arrive.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { IncomingMessage } from "node:http";

const STARTED = "http.server.request.start";

export type Heard = {
  /** Sum of the bodies of requests whose path fits. */
  bodyBytes(path: RegExp): number;
  /** All of it, one after the other. */
  all(): Buffer;
  [Symbol.dispose](): void;
};

export function listenIn(): Heard {
  const said: Buffer[] = [];
  const bodies = new Map<IncomingMessage, number>();
  const onStart = (message: unknown): void => {
    const { request } = message as { request: IncomingMessage };
    bodies.set(request, 0);
    said.push(Buffer.from(`${request.method} ${request.url}\n${request.rawHeaders.join("\n")}\n`));
  };
  const { push } = IncomingMessage.prototype;
  IncomingMessage.prototype.push = function (this: IncomingMessage, chunk: unknown, ...rest: never[]) {
    const before = bodies.get(this);
    if (before !== undefined && chunk instanceof Uint8Array) {
      bodies.set(this, before + chunk.length);
      said.push(Buffer.from(chunk));
    }
    return push.call(this, chunk, ...rest);
  };
  subscribe(STARTED, onStart);
  return {
    bodyBytes: (path) => [...bodies].reduce((sum, [{ url = "" }, length]) => (path.test(url) ? sum + length : sum), 0),
    all: () => Buffer.concat(said),
    [Symbol.dispose]() {
      unsubscribe(STARTED, onStart);
      IncomingMessage.prototype.push = push;
    },
  };
}
