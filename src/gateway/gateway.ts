// The listener for clients of CyberBackup 3: takes connections, bounds how many there are and how long they may dawdle, and stops in
// order. Everything runs on the event loop: no thread, no call that blocks. What is said on a connection is session.ts's.

import { mkdir } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Clock, RandomSource } from "../core/clock.ts";
import { LIMITS } from "../core/config-schema.ts";
import { AppError } from "../core/errors.ts";
import { type Logger, type Said, said } from "../core/log.ts";
import { REPLY } from "../wire/v3/messages.ts";
import { encodeReply } from "../wire/v3/replies.ts";
import { type AdmissionRules, createAdmission, type NameAnswer } from "./admission.ts";
import { ClientRegistry } from "./client-registry.ts";
import { holdFolder } from "./hold-folder.ts";
import { Places } from "./places.ts";
import { Session, type SessionCounts, type SessionOptions } from "./session.ts";
import type { UploadStore } from "./upload-store.ts";

export type GatewayLimits = {
  readonly connections: number;
  readonly uploads: number;
  readonly idleMs: number;
  readonly sessionMs: number;
  readonly patienceMs: number;
  readonly payloadBytes: number;
  readonly windowBytes: number;
  readonly allWindowsBytes: number;
  readonly resends: number;
};

export type GatewayOptions = {
  /** Port 0 takes any free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Closed with the gateway. */
  readonly store: UploadStore;
  /** Holds the registered clients; one gateway at a time. Made if it is not there. */
  readonly dataDir: string;
  readonly admission: AdmissionRules;
  readonly answerResend?: boolean;
  readonly limits?: Partial<GatewayLimits>;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
};

export type GatewayStats = SessionCounts & {
  readonly connections: number;
  readonly uploads: number;
  /** Connections that were turned away or closed for others. */
  readonly turnedAway: number;
};

export type Gateway = {
  readonly address: { readonly host: string; readonly port: number };
  stats(): GatewayStats;
  readonly clients: Pick<ClientRegistry, "all" | "retire" | "resetKey" | "remove">;
  /** As it would be answered now. */
  judgeName(user: string): NameAnswer;
  /** Dates that were given at the start, by name. */
  readonly retirements: ReadonlyMap<string, number>;
  /** Takes nothing more, ends all connections (uploads that are being committed are), and closes the store. */
  close(): Promise<void>;
};

export const GATEWAY_LIMITS: GatewayLimits = {
  connections: LIMITS.gatewayConnections.value,
  uploads: LIMITS.gatewayUploads.value,
  idleMs: LIMITS.gatewayIdleSeconds.value * 1000,
  sessionMs: LIMITS.gatewaySessionSeconds.value * 1000,
  patienceMs: LIMITS.gatewayPatienceSeconds.value * 1000,
  payloadBytes: LIMITS.gatewayPayloadBytes.value,
  windowBytes: LIMITS.gatewayWindowBytes.value,
  allWindowsBytes: LIMITS.gatewayAllWindowsBytes.value,
  resends: LIMITS.gatewayResends.value,
};

/** Ciphertext that earns a connection a second beyond its time. */
const BYTES_PER_SECOND = 64 * 1024;
const READ_BYTES = 256 * 1024;
const SWEEP_AT_MOST_MS = 1000;

/** Throws `gateway_busy`, `usage` (rules that cannot be read), and `io` when the address cannot be had. The store is closed then too. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { dataDir, store, clock, random } = options;
  const undo: (() => unknown)[] = [() => store.close()];
  try {
    const admission = createAdmission(options.admission);
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const hold = holdFolder(dataDir);
    undo.push(() => hold.release());
    const registry = new ClientRegistry(dataDir, clock, random);
    undo.push(() => registry.close());
    const gateway = new Listener(options, { registry, admission });
    await gateway.listen();
    return {
      address: gateway.address,
      stats: () => gateway.stats(),
      clients: registry,
      judgeName: (user) => admission.judgeName(user, clock.now(), registry.byName(user)?.retireAt),
      retirements: admission.retirements,
      async close() {
        await gateway.close();
        for (const step of undo) await step();
      },
    };
  } catch (error) {
    for (const step of undo) await step();
    throw error;
  }
}

class Listener {
  readonly #options: GatewayOptions;
  readonly #limits: GatewayLimits;
  readonly #sessionOptions: SessionOptions;
  readonly #server: Server;
  readonly #sessions = new Map<Session, Promise<void>>();
  readonly #counts: SessionCounts = { receivedBytes: 0, stored: 0, refused: 0 };
  readonly #places: Places;
  #turnedAway = 0;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: GatewayOptions, own: Pick<SessionOptions, "registry" | "admission">) {
    const { store, clock, random, logger } = options;
    const limits = { ...GATEWAY_LIMITS, ...options.limits };
    this.#options = options;
    this.#limits = limits;
    this.#places = new Places(limits.uploads);
    this.#sessionOptions = {
      ...own,
      store,
      places: this.#places,
      window: { fileBytes: limits.windowBytes, allBytes: limits.allWindowsBytes, usedBytes: 0 },
      resends: limits.resends,
      maxPayloadBytes: limits.payloadBytes,
      answerResend: options.answerResend ?? false,
      clock,
      random,
      logger,
      counts: this.#counts,
    };
    // Half-open: a client may close its side once it has sent, and still wait for the last reply.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: READ_BYTES }, (socket) =>
      this.#take(socket),
    );
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options.listen;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (cause: NodeJS.ErrnoException) =>
        reject(new AppError("io", { cause, context: { path: `${host}:${port}`, detail: `${cause.code}.` } })),
      );
      this.#server.listen({ host, port }, resolve);
    });
    // From here on an error of the listener (too many open files, say) concerns one connection, not the gateway.
    this.#server.on("error", (error: NodeJS.ErrnoException) =>
      this.#options.logger.warn("a connection could not be taken", { error }),
    );
    const { idleMs, sessionMs, patienceMs } = this.#limits;
    const everyMs = Math.max(10, Math.min(SWEEP_AT_MOST_MS, idleMs / 4, sessionMs / 4, patienceMs / 4));
    this.#sweeper = setInterval(() => this.#sweep(), everyMs);
  }

  get address(): Gateway["address"] {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  stats(): GatewayStats {
    const uploads = [...this.#sessions.keys()].filter((session) => session.hasUploads).length;
    return { ...this.#counts, connections: this.#sessions.size, uploads, turnedAway: this.#turnedAway };
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const session of this.#sessions.keys()) session.close();
    await Promise.all(this.#sessions.values());
    await closed;
  }

  #take(socket: Socket): void {
    const { admission, logger } = this.#sessionOptions;
    if (!admission.allowsAddress(socket.remoteAddress)) {
      this.#turnedAway++;
      logger.warn("turned a connection away", { reason: said`its network is not listed` });
      socket.on("error", () => undefined);
      socket.destroy();
      return;
    }
    if (this.#sessions.size >= this.#limits.connections && !this.#makeRoom()) {
      this.#turnedAway++;
      socket.on("error", () => undefined);
      socket.end(encodeReply({ code: REPLY.error }), () => socket.destroy());
      return;
    }
    const session = new Session(socket, this.#sessionOptions);
    this.#sessions.set(
      session,
      session.run().finally(() => this.#sessions.delete(session)),
    );
  }

  /** Closes the connection that has been silent longest without having logged in, if it has been so long enough. */
  #makeRoom(): boolean {
    let worst: Session | undefined;
    for (const session of this.#sessions.keys()) {
      if (session.hasLoggedIn || session.silentMs < this.#limits.patienceMs) continue;
      if (!worst || session.silentMs > worst.silentMs) worst = session;
    }
    if (!worst) return false;
    this.#turnedAway++;
    this.#sessions.delete(worst);
    worst.close();
    return true;
  }

  #sweep(): void {
    const { idleMs, sessionMs, patienceMs } = this.#limits;
    const othersWait = this.#places.waiting > 0;
    for (const session of this.#sessions.keys()) {
      const timeMs = sessionMs + (session.contentBytes / BYTES_PER_SECOND) * 1000;
      if (session.silentMs >= idleMs) this.#end(session, said`it was silent too long`);
      else if (session.ageMs >= timeMs) this.#end(session, said`its time is over`);
      else if (othersWait && session.hasUploads && session.silentMs >= patienceMs)
        this.#end(session, said`it was silent while others wait`);
    }
  }

  #end(session: Session, reason: Said): void {
    this.#options.logger.info("closed a connection of protocol 3", { reason });
    session.close();
  }
}
