// A wire that a test can cut: passes bytes on, and at a byte of its choice ends the connection, or falls silent. No clock is involved.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What happens to one connection. Counts are bytes towards the server (`up`) or from it (`down`). */
export type Fate = {
  readonly up?: number;
  readonly down?: number;
  readonly how: "cut" | "silence";
};

export class TcpProxy {
  /** Asked for each connection, in order from 0; nothing means that all is well. */
  fate: (connection: number) => Fate | undefined = () => undefined;
  /** False: connections are refused as by a machine on which nothing listens. */
  isUp = true;
  /** Passes on no more than so many bytes at a time. */
  pieceBytes = Number.POSITIVE_INFINITY;
  connections = 0;
  target: number;
  /** Fires for each fate that came true. */
  onFate: () => void = () => undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.target = target;
  }

  static async start(target: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, target);
    server.on("connection", (socket) => proxy.#join(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts everything that is open now. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    this.cutAll();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    const number = this.connections++;
    if (!this.isUp) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.target, "127.0.0.1");
    const fate = this.fate(number);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      // What was passed on is still to arrive when the other side has closed, and nothing more when it broke.
      socket
        .on("error", () => other.destroy())
        .on("close", () => {
          this.#sockets.delete(socket);
          other.destroySoon();
        });
    }
    const { pieceBytes } = this;
    pass(client, server, fate?.up, pieceBytes, () => this.#strike(fate!, client, server));
    pass(server, client, fate?.down, pieceBytes, () => this.#strike(fate!, client, server));
  }

  #strike(fate: Fate, client: Socket, server: Socket): void {
    if (fate.how === "cut") {
      client.resetAndDestroy();
      server.resetAndDestroy();
    } else {
      for (const socket of [client, server]) socket.pause().removeAllListeners("data");
    }
    this.onFate();
  }
}

function pass(from: Socket, to: Socket, limit: number | undefined, pieceBytes: number, strike: () => void): void {
  let passed = 0;
  from.on("data", (slice: Buffer) => {
    const room = limit === undefined ? slice.length : limit - passed;
    const part = slice.subarray(0, Math.max(0, Math.min(room, pieceBytes)));
    passed += part.length;
    const rest = slice.subarray(part.length);
    if (part.length > 0 && part.length < Math.min(slice.length, room)) {
      // The rest comes in its turn, after what else is to be done.
      from.pause();
      from.unshift(rest);
      to.write(part, () => from.resume());
    } else if (part.length > 0 && !to.write(part)) {
      from.pause();
      to.once("drain", () => from.resume());
    }
    if (limit !== undefined && passed >= limit) strike();
  });
  from.on("end", () => to.end());
}
