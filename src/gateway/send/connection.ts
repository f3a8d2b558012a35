// One connection to a server of protocol 3: frames out, replies in. Writing waits for the network, so memory stays flat however large
// the file; a reply may come at any time, and a connection that failed fails everything that waits on it.

import { connect, type Socket } from "node:net";
import { AppError } from "../../core/errors.ts";
import { ReplyReader } from "../../wire/v3/frame-reader.ts";
import type { Reply } from "../../wire/v3/messages.ts";
import type { ServerAddress } from "../old-files.ts";

export type ConnectOptions = {
  readonly server: ServerAddress;
  /** Silence in both directions after which the connection is given up. */
  readonly silenceMs: number;
  readonly signal: AbortSignal | undefined;
};

/** Connects once. Throws `v3_unreachable` and `interrupted`. */
export async function openConnection(options: ConnectOptions): Promise<Connection> {
  const { server, silenceMs, signal } = options;
  if (signal?.aborted) throw new AppError("interrupted");
  const socket = connect({ host: server.host, port: server.port, noDelay: true, timeout: silenceMs });
  return new Promise((resolve, reject) => {
    const fail = (detail: string, cause?: unknown): void => {
      socket.destroy();
      signal?.removeEventListener("abort", interrupt);
      reject(new AppError("v3_unreachable", { cause, context: { address: addressOf(server), detail } }));
    };
    const interrupt = (): void => {
      socket.destroy();
      reject(new AppError("interrupted"));
    };
    const failed = (error: NodeJS.ErrnoException): void => fail(`${error.code ?? error.message}.`, error);
    const silent = (): void => fail("it does not answer.");
    signal?.addEventListener("abort", interrupt, { once: true });
    socket.once("error", failed).once("timeout", silent);
    socket.once("connect", () => {
      socket.off("error", failed).off("timeout", silent);
      signal?.removeEventListener("abort", interrupt);
      resolve(new Connection(socket, addressOf(server), signal));
    });
  });
}

export class Connection {
  readonly #socket: Socket;
  readonly #address: string;
  readonly #signal: AbortSignal | undefined;
  readonly #reader = new ReplyReader();
  readonly #replies: Reply[] = [];
  readonly #interrupt = (): void => this.#fail(new AppError("interrupted"));
  #failure: AppError | undefined;
  /** Wakes whoever waits for a reply or for the network. */
  #wake: () => void = () => undefined;

  constructor(socket: Socket, address: string, signal: AbortSignal | undefined) {
    this.#socket = socket;
    this.#address = address;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#interrupt, { once: true });
    socket.on("data", (slice: Buffer) => this.#hear(slice));
    socket.on("drain", () => this.#wake());
    socket.on("error", (error: NodeJS.ErrnoException) => this.#lose(`${error.code ?? error.message}.`, error));
    socket.on("end", () => this.#lose("the server closed it."));
    socket.on("close", () => this.#lose("it was closed."));
    socket.on("timeout", () => this.#lose("the server is silent."));
  }

  /** True when a reply has come that nobody asked for yet: in the middle of a file, a refusal. */
  get hasReply(): boolean {
    return this.#replies.length > 0;
  }

  /** Sends the pieces as one; waits while the network is behind. Throws `v3_connection`, `interrupted`. */
  async send(...pieces: readonly Uint8Array[]): Promise<void> {
    if (this.#failure) throw this.#failure;
    this.#socket.cork();
    let goesOn = true;
    for (const piece of pieces) goesOn = this.#socket.write(piece);
    this.#socket.uncork();
    while (!goesOn && this.#socket.writableNeedDrain) await this.#moved();
  }

  /** The next reply. Throws `v3_connection`, `v3_protocol` and `interrupted`. */
  async reply(): Promise<Reply> {
    for (;;) {
      const reply = this.#replies.shift();
      if (reply) return reply;
      await this.#moved();
    }
  }

  /** Lets what was written reach the server. */
  end(): void {
    this.#signal?.removeEventListener("abort", this.#interrupt);
    this.#failure ??= this.#lost("it was closed.");
    this.#socket.end();
    // Whatever the server still says is not for us.
    this.#socket.resume();
    this.#socket.setTimeout(1000, () => this.#socket.destroy());
  }

  #moved(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#failure) reject(this.#failure);
        else resolve();
      };
      if (this.#failure) look();
      else this.#wake = look;
    });
  }

  #hear(slice: Uint8Array): void {
    try {
      // What came before a failure still counts: a refusal is often followed by the end.
      for (const reply of this.#reader.push(slice)) this.#replies.push(reply);
    } catch (error) {
      this.#fail(error as AppError);
    }
    this.#wake();
  }

  #lose(detail: string, cause?: unknown): void {
    this.#fail(this.#lost(detail, cause));
  }

  #lost(detail: string, cause?: unknown): AppError {
    return new AppError("v3_connection", { cause, context: { address: this.#address, detail } });
  }

  #fail(error: AppError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#signal?.removeEventListener("abort", this.#interrupt);
    this.#socket.destroy();
    this.#wake();
  }
}

/** As people write it. */
export function addressOf({ host, port }: ServerAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
