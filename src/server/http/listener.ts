// The doors of the server: HTTPS, plain HTTP, the local socket. Each keeps the limits of connections, headers and time; what comes
// through goes to the one dispatcher.

import { chmod, unlink } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import type { Endpoint } from "../settings.ts";
import type { Dispatch, Door } from "./dispatch.ts";

export type Listener = {
  readonly server: Server | TlsServer;
  /** undefined for a local socket. */
  readonly port: number | undefined;
  connections(): number;
  /** Stops taking connections, and closes those that wait for a request. */
  stop(): void;
  /** Ends every connection. */
  end(): void;
};

const OPTIONS: ServerOptions = {
  maxHeaderSize: LIMITS.serverHeaderBytes.value,
  headersTimeout: LIMITS.serverHeadersMs.value,
  // Bodies have limits of their own (body.ts): a pack on a slow line takes longer than any one time-out.
  requestTimeout: 0,
  keepAliveTimeout: LIMITS.serverIdleMs.value,
  connectionsCheckingInterval: 2000,
  noDelay: true,
  // Slices of a pack are read and written in pieces of this size.
  highWaterMark: 128 * 1024,
  // A body without a Content-Length or chunks is refused, and so is a request that two parsers could take apart differently.
  insecureHTTPParser: false,
  requireHostHeader: true,
};

/** Who was too slow, and who hung up in the middle of a body: then the request is over at once, not after its time-out. */
const ENDS_AT_ONCE: ReadonlySet<string> = new Set(["ERR_HTTP_REQUEST_TIMEOUT", "HPE_INVALID_EOF_STATE"]);

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EACCES: "the system lets only privileged users listen there",
  EADDRNOTAVAIL: "this machine has no such address",
};

export type TlsMaterial = { readonly cert: string; readonly key: string };

export async function listenTls(endpoint: Endpoint, tls: TlsMaterial, dispatch: Dispatch): Promise<Listener> {
  const door = directDoor(true);
  const server = createTlsServer(
    {
      ...OPTIONS,
      ...tls,
      minVersion: "TLSv1.3",
      maxVersion: "TLSv1.3",
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: LIMITS.serverHeadersMs.value,
    },
    handler(door, dispatch),
  );
  return listen(server, endpoint);
}

/** `trustProxy`: the caller's address is what the proxy says. */
export async function listenPlain(endpoint: Endpoint, trustProxy: boolean, dispatch: Dispatch): Promise<Listener> {
  const door = trustProxy ? proxyDoor() : directDoor(false);
  return listen(createServer(OPTIONS, handler(door, dispatch)), endpoint);
}

/** A Unix socket that only its owner can use, or a named pipe. */
export async function listenLocal(path: string, dispatch: Dispatch): Promise<Listener> {
  const door: Door = { isLocalSocket: true, isEncrypted: false, addressOf: () => "local" };
  if (process.platform !== "win32") await unlink(path).catch(() => undefined);
  const listener = await listen(createServer(OPTIONS, handler(door, dispatch)), path);
  if (process.platform !== "win32") await chmod(path, 0o600);
  return listener;
}

function directDoor(isEncrypted: boolean): Door {
  return { isLocalSocket: false, isEncrypted, addressOf: (request) => plainAddress(request.socket.remoteAddress) };
}

/** The last address of the list is the one that our proxy has seen itself. */
function proxyDoor(): Door {
  const addressOf = (request: IncomingMessage): string => {
    const header = request.headers["x-forwarded-for"];
    const last = (Array.isArray(header) ? header.join(",") : header)?.split(",").at(-1)?.trim();
    return last && /^[0-9a-fA-F.:]{2,45}$/.test(last) ? plainAddress(last) : plainAddress(request.socket.remoteAddress);
  };
  return { isLocalSocket: false, isEncrypted: true, addressOf };
}

/** An IPv4 address is the same in its IPv6 dress. */
function plainAddress(address: string | undefined): string {
  return (address ?? "unknown").replace(/^::ffff:(?=\d+\.)/, "");
}

function handler(door: Door, dispatch: Dispatch): RequestListener {
  return (request, response) => void dispatch(door, request, response);
}

async function listen(server: Server | TlsServer, where: Endpoint | string): Promise<Listener> {
  const sockets = limitConnections(server);
  // Bytes that are no HTTP get the shortest of answers; a handshake that fails is its caller's to mend. Who was too slow finds the
  // connection lost: that is what a client tries again.
  server.on("clientError", ({ code }: NodeJS.ErrnoException, socket: Socket) => {
    if (socket.writable && !ENDS_AT_ONCE.has(code ?? "")) {
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    } else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const place = typeof where === "string" ? where : `${where.host}:${where.port}`;
      reject(listenError(place, cause));
    });
    const done = (): void => resolve();
    if (typeof where === "string") server.listen(where, done);
    else server.listen({ host: where.host, port: where.port, backlog: 1024 }, done);
  });
  const address = server.address();
  return {
    server,
    port: typeof address === "string" ? undefined : (address as AddressInfo).port,
    connections: () => sockets.size,
    stop: () => {
      server.close();
      server.closeIdleConnections();
    },
    end: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function listenError(place: string, cause: NodeJS.ErrnoException): AppError {
  const detail = LISTEN_PROBLEMS[cause.code ?? ""] ?? cause.message;
  return new AppError("port_unusable", { cause, context: { place, detail } });
}

/** Counts raw connections, whatever they speak, and refuses those over the limits before they cost anything. */
function limitConnections(server: Server | TlsServer): Set<Socket> {
  const sockets = new Set<Socket>();
  const byAddress = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const address = plainAddress(socket.remoteAddress);
    const count = byAddress.get(address) ?? 0;
    const isOver = sockets.size >= LIMITS.serverConnections.value || count >= LIMITS.serverConnectionsPerAddress.value;
    if (isOver) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    byAddress.set(address, count + 1);
    socket.on("close", () => {
      sockets.delete(socket);
      const left = byAddress.get(address)! - 1;
      if (left === 0) byAddress.delete(address);
      else byAddress.set(address, left);
    });
  });
  return sockets;
}
