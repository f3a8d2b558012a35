// A proxy that a browser sends all its requests through and that writes down every byte that goes either way, heads and bodies.

import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type RecordingProxy = {
  readonly address: string;
  /** Everything so far. */
  readonly parts: Buffer[];
  close(): Promise<void>;
};

export async function startRecordingProxy(): Promise<RecordingProxy> {
  const parts: Buffer[] = [];
  const server = createServer((asked, answer) => pass(asked, answer, parts));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    parts,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pass(asked: IncomingMessage, answer: ServerResponse, parts: Buffer[]): void {
  const { hostname, port, pathname, search } = new URL(asked.url!);
  // So that bodies come as they are.
  const { "accept-encoding": _, ...headers } = asked.headers;
  parts.push(Buffer.from(`${asked.method} ${asked.url}\n${asked.rawHeaders.join("\n")}\n`));
  const through = request(
    {
      hostname: hostname === "localhost" ? "127.0.0.1" : hostname,
      port,
      path: pathname + search,
      method: asked.method,
      headers,
    },
    (given) => {
      parts.push(Buffer.from(`${given.statusCode}\n${given.rawHeaders.join("\n")}\n`));
      answer.writeHead(given.statusCode!, given.headers);
      given.on("data", (slice: Buffer) => parts.push(slice));
      given.on("error", () => answer.destroy());
      given.pipe(answer);
    },
  );
  through.on("error", () => answer.destroy());
  answer.on("close", () => through.destroy());
  asked.on("data", (slice: Buffer) => parts.push(slice));
  asked.pipe(through);
}
