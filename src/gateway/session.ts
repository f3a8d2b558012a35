// One connection of protocol 3: requests in, replies out, one after the other (docs/protocol-v3.md, What the gateway answers). It reads no
// faster than the store takes, sends no more than the client reads, and whatever ends it leaves no upload behind.

import { once } from "node:events";
import type { Socket } from "node:net";
import { releaseWhole } from "../core/bytes.ts";
import type { Clock, RandomSource } from "../core/clock.ts";
import { isAppError } from "../core/errors.ts";
import type { V3ClientId } from "../core/ids.ts";
import { type Logger, said } from "../core/log.ts";
import { type RequestPart, RequestReader } from "../wire/v3/frame-reader.ts";
import { decodeName, REPLY, REQUEST, type Reply, type RequestHeader, V3_BYTES } from "../wire/v3/messages.ts";
import { encodeReply } from "../wire/v3/replies.ts";
import { decodePublicKeyPayload } from "../wire/v3/requests.ts";
import type { Admission } from "./admission.ts";
import { type ClientRegistry, isUserName, type RegisteredClient } from "./client-registry.ts";
import { FILE_KEY_BYTES, isLegacyPublicKey, wrapFileKey } from "./legacy-crypto.ts";
import { type PacketAnswer, type Refusal, type Sender, Uploads, type UploadsOptions } from "./uploads.ts";

export type SessionOptions = Omit<UploadsOptions, "signal"> & {
  readonly registry: ClientRegistry;
  readonly admission: Admission;
  readonly maxPayloadBytes: number;
  /** Answer 1030 with 1604, as the old server does and the old client does not expect. */
  readonly answerResend: boolean;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly counts: SessionCounts;
};

/** Running totals of the gateway; sessions add to them. */
export type SessionCounts = { receivedBytes: number; stored: number; refused: number };

/** How long a connection that was told to go may take to read it. */
const LINGER_MS = 1000;

/** Undefined: nothing to say, go on. */
type Answer = Reply | "close" | undefined;

const ERROR: Reply = { code: REPLY.error };

export class Session {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #reader: RequestReader;
  readonly #uploads: Uploads;
  readonly #gone = new AbortController();
  readonly #startedAt: number;
  /** The request whose parts come now. */
  #header: RequestHeader | undefined;
  #isAnswered = false;
  /** Whom this connection has shown to be, and the key that it got for that. */
  #client: RegisteredClient | undefined;
  #fileKey: Uint8Array | undefined;
  /** Registered on this connection, so it may still send its key. */
  #registeredHere: V3ClientId | undefined;
  #lastHeardAt: number;
  #isBusy = false;
  /** Ciphertext of files. */
  contentBytes = 0;

  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#reader = new RequestReader({ maxPayloadBytes: options.maxPayloadBytes });
    this.#uploads = new Uploads({ ...options, signal: this.#gone.signal });
    this.#startedAt = options.clock.monotonic();
    this.#lastHeardAt = this.#startedAt;
    socket.on("close", () => this.#gone.abort());
    // Reading throws it as well; an error with no listener would end the process.
    socket.on("error", () => undefined);
  }

  get hasLoggedIn(): boolean {
    return this.#fileKey !== undefined;
  }

  get hasUploads(): boolean {
    return this.#uploads.count > 0;
  }

  get ageMs(): number {
    return this.#options.clock.monotonic() - this.#startedAt;
  }

  /** How long the client has been silent; 0 while it is us who must do something. */
  get silentMs(): number {
    return this.#isBusy ? 0 : this.#options.clock.monotonic() - this.#lastHeardAt;
  }

  /** Serves the connection to its end. Never throws. */
  async run(): Promise<void> {
    const { logger } = this.#options;
    try {
      if ((await this.#serve()) === "close") this.#send(ERROR);
    } catch (error) {
      if (isAppError(error, "v3_protocol")) {
        this.#refused(error);
        this.#send(ERROR);
      } else if (isAppError(error) || !("code" in (error as Error))) {
        logger.error("a connection of the gateway failed", { error: error as Error });
        this.#send(ERROR);
      }
      // Anything else is the connection itself that broke.
    } finally {
      this.#isBusy = true;
      await this.#uploads.abortAll();
      await this.#sayGoodbye();
    }
  }

  /** Ends it now; `run` returns once what it was doing is done. */
  close(): void {
    this.#socket.destroy();
  }

  async #serve(): Promise<"close" | "end"> {
    for await (const slice of this.#socket.iterator({ destroyOnReturn: false })) {
      this.#count((slice as Uint8Array).length);
      for (const part of this.#reader.push(slice as Uint8Array)) {
        this.#isBusy = true;
        const answer = await this.#take(part);
        if (answer === "close") return "close";
        if (part.kind === "end") this.#lastHeardAt = this.#options.clock.monotonic();
        this.#isBusy = false;
        if (answer) await this.#reply(answer);
      }
      releaseWhole(slice as Uint8Array);
    }
    return "end";
  }

  /** Bytes are a sign of life only from somebody who has logged in: others could drip for ever. */
  #count(bytes: number): void {
    this.#options.counts.receivedBytes += bytes;
    if (this.hasLoggedIn) this.#lastHeardAt = this.#options.clock.monotonic();
  }

  async #take(part: RequestPart): Promise<Answer> {
    switch (part.kind) {
      case "request":
        this.#header = part.header;
        this.#isAnswered = false;
        return this.#knows(part.header) ? undefined : this.#refuseAndClose(said`its client id is unknown`);
      case "payload":
        this.#isAnswered = true;
        return this.#takePayload(this.#header!, part.bytes);
      case "packet": {
        this.#isAnswered = true;
        const { payloadBytes, client } = this.#header!;
        const sender = client === this.#client?.id ? this.#sender() : undefined;
        const contentBytes = payloadBytes - V3_BYTES.packetHead;
        return this.#answerPacket(await this.#uploads.beginPacket(part.head, contentBytes, sender));
      }
      case "content":
        this.contentBytes += part.bytes.length;
        return this.#answerPacket(await this.#uploads.takeContent(part.bytes));
      case "end":
        if (!this.#isAnswered) return this.#refuse(said`a request has an unknown code, or is too short`);
        return this.#header!.code === REQUEST.packet ? this.#answerPacket(await this.#uploads.endPacket()) : undefined;
    }
  }

  /** "Unknown id on 1026, 1028-1031": these close the connection, before their payload is read. */
  #knows({ code, client }: RequestHeader): boolean {
    if (code === REQUEST.register || code === REQUEST.reconnect) return true;
    return client === this.#client?.id || this.#options.registry.byId(client) !== undefined;
  }

  #takePayload({ code, client }: RequestHeader, payload: Uint8Array): Answer | Promise<Answer> {
    switch (code) {
      case REQUEST.register:
        return this.#register(decodeName(payload));
      case REQUEST.publicKey:
        return this.#takeKey(client, payload);
      case REQUEST.reconnect:
        return this.#reconnect(client, decodeName(payload));
      case REQUEST.checksumRight:
        return this.#judgeChecksum(client, decodeName(payload), (name) => this.#confirm(client, name));
      case REQUEST.checksumWrong:
        return this.#judgeChecksum(client, decodeName(payload), (name) => this.#dropForResend(client, name));
      case REQUEST.checksumFailed:
        return this.#judgeChecksum(client, decodeName(payload), (name) => this.#giveUp(client, name));
    }
    return undefined;
  }

  #register(user: string | undefined): Answer {
    const { registry, logger } = this.#options;
    if (user === undefined || !isUserName(user)) return this.#refuseAndClose(said`the name to register is none`);
    if (!this.#isAdmitted(registry.byName(user) ?? { user, retireAt: undefined })) return ERROR;
    const client = registry.register(user);
    if (client === "full") return this.#refuse(said`no more clients can be registered`);
    if (client === "taken") return { code: REPLY.nameTaken };
    logger.info("registered a client of protocol 3", { client: client.id });
    this.#client = client;
    this.#registeredHere = client.id;
    this.#fileKey = undefined;
    return { code: REPLY.registered, client: client.id };
  }

  /** Only who has just registered may set the key, or the first one: else anybody who has seen an id could take the account over. */
  #takeKey(id: V3ClientId, payload: Uint8Array): Answer {
    const { registry } = this.#options;
    const { name, publicKey } = decodePublicKeyPayload(payload);
    const client = registry.byId(id);
    if (!client || name !== client.user) return this.#refuse(said`the name does not belong to the client id`);
    if (!this.#isAdmitted(client)) return ERROR;
    if (client.publicKey && this.#registeredHere !== id) return this.#refuse(said`the client has a key already`);
    const wrappedKey = isLegacyPublicKey(publicKey) ? this.#logIn({ ...client, publicKey }) : undefined;
    if (!wrappedKey) return this.#refuse(said`the key is none`);
    registry.setKey(id, publicKey);
    return { code: REPLY.keyReceived, client: id, wrappedKey };
  }

  #reconnect(id: V3ClientId, user: string | undefined): Answer {
    const client = this.#options.registry.byId(id);
    if (client && client.user === user && !this.#isAdmitted(client)) return ERROR;
    const wrappedKey = client?.user === user && client?.publicKey ? this.#logIn(client) : undefined;
    // The old client goes on with 1025 on this connection, so it stays open.
    if (!wrappedKey) return { code: REPLY.reconnectRefused, client: id };
    return { code: REPLY.reconnected, client: id, wrappedKey };
  }

  /** A fresh file key, sealed to the client; undefined when its key cannot be sealed to. */
  #logIn(client: RegisteredClient): Uint8Array<ArrayBuffer> | undefined {
    const { random, registry, logger } = this.#options;
    const fileKey = random.bytes(FILE_KEY_BYTES);
    const wrappedKey = wrapFileKey(client.publicKey!, fileKey);
    if (!wrappedKey) return undefined;
    this.#client = client;
    this.#fileKey = fileKey;
    registry.sawNow(client.id);
    logger.info("a client of protocol 3 logged in", { client: client.id });
    return wrappedKey;
  }

  /** As the client is known to the caller: it is asked for each packet, by what was read when it logged in. */
  #isAdmitted({ user, retireAt }: Pick<RegisteredClient, "user" | "retireAt">): boolean {
    const { admission, clock } = this.#options;
    const answer = admission.judgeName(user, clock.now(), retireAt);
    if (answer !== "allowed")
      this.#refused(answer === "retired" ? said`the name is retired` : said`the name is not listed`);
    return answer === "allowed";
  }

  #sender(): Sender | undefined {
    if (!this.#client || !this.#fileKey || !this.#isAdmitted(this.#client)) return undefined;
    return { client: this.#client.id, user: this.#client.user, fileKey: this.#fileKey };
  }

  #answerPacket(answer: PacketAnswer): Answer {
    switch (answer.do) {
      case "go_on":
        return undefined;
      case "received": {
        const { name, received } = answer;
        return { code: REPLY.fileReceived, client: this.#client!.id, name, ...received };
      }
      case "refuse":
        return this.#refuse(answer.reason);
      case "close":
        return this.#refuseAndClose(answer.reason);
    }
  }

  /** What a client says of a checksum counts for its own uploads on this connection. */
  async #judgeChecksum(
    id: V3ClientId,
    name: string | undefined,
    judge: (name: string) => Promise<Answer>,
  ): Promise<Answer> {
    if (id !== this.#client?.id || !this.#fileKey) return this.#refuse(said`no key was exchanged on this connection`);
    return name === undefined ? this.#refuse(said`its name is none`) : judge(name);
  }

  async #confirm(client: V3ClientId, name: string): Promise<Answer> {
    const answer = await this.#uploads.confirm(name);
    if (!answer.isSafe) return this.#refuse(answer.reason);
    this.#options.counts.stored++;
    this.#options.registry.storedNow(client);
    this.#options.logger.info("stored an upload of protocol 3", { client: this.#client!.id });
    return { code: REPLY.acknowledged, client };
  }

  async #dropForResend(client: V3ClientId, name: string): Promise<Answer> {
    if (!(await this.#uploads.drop(name))) return this.#refuse(said`no file of that name was sent`);
    return this.#options.answerResend ? { code: REPLY.acknowledged, client } : undefined;
  }

  async #giveUp(client: V3ClientId, name: string): Promise<Answer> {
    await this.#uploads.drop(name);
    return { code: REPLY.acknowledged, client };
  }

  #refuse(reason: Refusal): Reply {
    this.#refused(reason);
    return ERROR;
  }

  #refuseAndClose(reason: Refusal): "close" {
    this.#refused(reason);
    return "close";
  }

  #refused(reason: Refusal): void {
    this.#options.counts.refused++;
    const why = reason instanceof Error ? { error: reason } : { reason };
    this.#options.logger.warn("refused a request of protocol 3", { client: this.#client?.id, ...why });
  }

  /** Waits while the client does not read: its silence counts meanwhile. */
  async #reply(reply: Reply): Promise<void> {
    if (this.#send(reply)) return;
    await once(this.#socket, "drain", { signal: this.#gone.signal });
  }

  #send(reply: Reply): boolean {
    return this.#socket.destroyed || this.#socket.write(encodeReply(reply));
  }

  /**
   * What is still on its way here is thrown away for a moment: a connection that is closed over unread bytes is reset, and the
   * last reply is lost with it.
   */
  async #sayGoodbye(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed) return;
    socket.resume();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    try {
      if (!socket.closed) await once(socket, "close");
    } catch {
      // It was reset.
    } finally {
      clearTimeout(timer);
      socket.destroy();
    }
  }
}
