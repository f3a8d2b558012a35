// Receivers on loopback of what a server sends out: an HTTP server that keeps every request, and a mail server.

import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { until } from "../until.ts";

export type Got = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export class HttpReceiver {
  readonly got: Got[] = [];
  /** How the next requests are answered; 200 once it is empty. */
  readonly answers: ((...args: Parameters<RequestListener>) => void)[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (slice: string) => {
        body += slice;
      });
      request.on("end", () => {
        this.got.push({ method: request.method!, path: request.url!, headers: request.headers, body });
        const answer = this.answers.shift();
        if (answer) answer(request, response);
        else response.writeHead(200).end("ok");
      });
    });
  }

  static async start(): Promise<HttpReceiver> {
    const receiver = new HttpReceiver();
    receiver.#server.listen(0, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when so many requests have come in all. */
  async until(count: number): Promise<void> {
    await until(`${count} requests`, () => this.got.length >= count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export type Mail = {
  readonly user: string;
  readonly from: string;
  readonly to: string[];
  readonly isEncrypted: boolean;
  readonly text: string;
};

export class MailReceiver {
  readonly mails: Mail[] = [];
  readonly #server: SMTPServer;

  private constructor(options: SMTPServerOptions) {
    this.#server = new SMTPServer({
      ...options,
      onAuth: ({ username, password }, _session, done) => {
        if (password === "open sesame") done(null, { user: username ?? "" });
        else done(new Error("no"));
      },
      onData: (stream, session, done) => {
        let text = "";
        stream.setEncoding("utf8").on("data", (slice: string) => {
          text += slice;
        });
        stream.on("end", () => {
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push({
            user: String(session.user ?? ""),
            from: mailFrom === false ? "" : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            isEncrypted: session.secure,
            text,
          });
          done();
        });
      },
    });
  }

  static async start(options: SMTPServerOptions): Promise<MailReceiver> {
    const receiver = new MailReceiver(options);
    receiver.#server.on("error", () => undefined);
    const listening = once(receiver.#server.server, "listening");
    receiver.#server.listen(0, "127.0.0.1");
    await listening;
    return receiver;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
