// The server, put together: data folder, database, vaults, parts, doors. Starting is safe after any crash; stopping lets running
// requests end first. docs/protocol-v4.md is what it speaks.

import { mkdir, readdir, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { Server as TlsServer } from "node:https";
import { join } from "node:path";
import { type Clock, type RandomSource, systemClock, systemRandom } from "../core/clock.ts";
import { LIMITS } from "../core/config-schema.ts";
import { AppError } from "../core/errors.ts";
import { type Logger, silentLogger } from "../core/log.ts";
import { localSocketPath } from "../node/local-socket.ts";
import { LogTail, type LogView, noLogView } from "../node/log/tail.ts";
import { readVersion } from "../node/version.ts";
import type { ObjectStore } from "../storage/object-store.ts";
import { type Migrations, openServerDatabase } from "./database.ts";
import { DEVICE_API } from "./device-api/part.ts";
import { logEvent } from "./event-log.ts";
import { GATEWAY_PART } from "./gateway-part.ts";
import { type Dispatch, dispatcher } from "./http/dispatch.ts";
import { type Listener, listenLocal, listenPlain, listenTls } from "./http/listener.ts";
import type { Principal } from "./http/principal.ts";
import { lockPath } from "./instance.ts";
import { JOBS_PART } from "./jobs/part.ts";
import { keptLog, tellLines } from "./kept-log.ts";
import type { Admission, Allowance, PartModule, PasswordHashing, ServerEvent, ServerKit, ServerPart } from "./kit.ts";
import { AttemptLimits } from "./limits/attempts.ts";
import { lockData } from "./lock.ts";
import { NOTIFY_PART } from "./notify/part.ts";
import { withOpenApi } from "./openapi.ts";
import { PAGE_PART } from "./page/part.ts";
import { PEOPLE_PART } from "./people/people-part.ts";
import { RunningCalls } from "./running-calls.ts";
import { RUNS_PART } from "./runs/part.ts";
import type { ServerSettings } from "./settings.ts";
import { ownHosts, type ServerIdentity, serverIdentity } from "./tls/identity.ts";
import { VAULT_MIGRATIONS, VaultRegistry } from "./vaults.ts";

export type ServerOptions = {
  readonly settings: ServerSettings;
  readonly clock?: Clock;
  readonly random?: RandomSource;
  readonly logger?: Logger;
  /** Of that logger, for people who look at it through the server. */
  readonly log?: LogView;
  /** Hears of everything that happens, as parts do. */
  readonly onEvent?: (event: ServerEvent) => void;
  /** The machine asks for the end, by `cyberbackup down`. */
  readonly onStopAsked?: () => void;
  /** In place of all parts (tests of one). */
  readonly parts?: readonly PartModule[];
  /** What a stopping server gives to running requests (default: the limit of that name). */
  readonly stopMs?: number;
  /** Decorates the store of every vault (fault tests). */
  readonly wrapStore?: (store: ObjectStore) => ObjectStore;
  /** In place of scrypt, which takes a tenth of a second each time (tests of other things). */
  readonly passwordHashing?: PasswordHashing | undefined;
};

export type RunningServer = {
  readonly kit: ServerKit;
  /** Of the door with TLS, if there is one. */
  readonly port: number | undefined;
  /** Of the plain door, if there is one. */
  readonly httpPort: number | undefined;
  readonly socketPath: string;
  /** Path and fragment of the page's address where the first owner is made; a new one each time, undefined once there is an owner. */
  setupPath(): string | undefined;
  /** Lets running requests end, then closes everything. */
  stop(): Promise<void>;
};

/** Everything that brings tables and routes. */
export const PARTS: readonly PartModule[] = [
  PEOPLE_PART,
  DEVICE_API,
  JOBS_PART,
  RUNS_PART,
  NOTIFY_PART,
  GATEWAY_PART,
  PAGE_PART,
];

const RENEWAL_CHECK_MS = 12 * 3_600_000;
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Throws `vault_busy` when a server works in the folder already, `config_invalid`, `io`. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { settings, clock = systemClock, random = systemRandom, parts: modules = PARTS } = options;
  const logTail = new LogTail();
  const logger = keptLog(options.logger ?? silentLogger, logTail, clock);
  const { data } = settings;
  await mkdir(data, { recursive: true, mode: 0o700 });
  const closers: (() => unknown)[] = [];
  try {
    closers.push(lockData(lockPath(data), clock.now()));
    await sweep(data);
    const database = openServerDatabase(join(data, "server.db"), migrationsOf(modules));
    closers.push(() => database.close());
    const running = new RunningCalls();
    const wrapStore = options.wrapStore;
    const folder = join(data, "vaults");
    const vaults = await VaultRegistry.open({ folder, database, running, clock, logger, wrapStore });
    closers.push(() => vaults.close());

    let identity: ServerIdentity = await serverIdentity(settings, clock.now());
    const stopping = new AbortController();
    const origins = new Set<string>();
    const parts: ServerPart[] = [];
    const listeners: Listener[] = [];
    const ports: { tls?: Listener | undefined; plain?: Listener | undefined } = {};
    const kit: ServerKit = {
      settings,
      clock,
      random,
      logger,
      passwordHashing: options.passwordHashing,
      log: options.log ?? noLogView(),
      database,
      vaults,
      running,
      attempts: new AttemptLimits({ clock }),
      logTail,
      gateway: { view: undefined },
      origins,
      ports: () => ({ https: ports.tls?.port, http: ports.plain?.port }),
      hasOwner: () => parts.some((part) => part.hasOwner?.() ?? false),
      identity: () => identity,
      setupPath: () => setupPath(parts),
      askToStop: () => options.onStopAsked?.(),
      stopping: stopping.signal,
      connections: () => listeners.reduce((sum, listener) => sum + listener.connections(), 0),
      async admit(what) {
        if (stopping.signal.aborted) throw new AppError("server_stopping");
        return admitted(parts, what);
      },
      async usage(vault, device) {
        const counting = parts.find((part) => part.usage !== undefined);
        return (await counting?.usage?.(vault, device)) ?? { bytes: 0, snapshots: 0 };
      },
      gauges: () => parts.flatMap((part) => part.gauges?.() ?? []),
      emit(event) {
        logEvent(logger, event);
        for (const part of parts) part.onEvent?.(event);
        options.onEvent?.(event);
      },
      audit(action) {
        for (const part of parts) part.audit?.(action);
      },
    };
    for (const module of modules) parts.push(await module.make(kit));
    tellLines(logTail, (line) => kit.emit({ type: "log", vault: undefined, line }));
    const dispatch = dispatcher({
      routes: withOpenApi(
        parts.flatMap(({ routes = [] }) => routes),
        readVersion(),
      ),
      raw: parts.flatMap(({ raw = [] }) => raw),
      vaults,
      running,
      logger,
      origins,
      stopping: stopping.signal,
      now: () => clock.now(),
      authenticate: (request, address) => authenticate(parts, request, address),
      emit: kit.emit,
      finished(call) {
        try {
          for (const part of parts) part.onCall?.(call);
        } catch (error) {
          // The caller has its answer; that the trail lacks an entry (a full disk) must not be lost.
          const { name, requestId, outcome } = call;
          logger.error("a call is missing in the audit trail", {
            route: name,
            requestId,
            outcome,
            error: error as Error,
          });
        }
      },
    });

    const socketPath = localSocketPath(data);
    closers.push(() => {
      for (const listener of listeners) listener.end();
    });
    listeners.push(await listenLocal(socketPath, dispatch));
    const tls = settings.listen && (await listenTls(settings.listen, identity.tls!, dispatch));
    ports.tls = tls;
    if (tls) {
      listeners.push(tls);
      closers.push(
        every(RENEWAL_CHECK_MS, async () => {
          const before = identity.bindings;
          identity = await serverIdentity(settings, clock.now());
          if (identity.bindings[0] !== before[0]) (tls.server as TlsServer).setSecureContext(identity.tls!);
        }),
      );
    }
    const plain = await plainDoor(settings, dispatch, logger);
    ports.plain = plain;
    if (plain) listeners.push(plain);
    for (const part of parts) await part.start?.();

    const stop = once(async () => {
      stopping.abort(new AppError("server_stopping"));
      for (const listener of listeners) listener.stop();
      for (const part of parts) await part.stop?.();
      running.cut(({ isEndless }) => isEndless, new AppError("server_stopping"));
      const isEveryone = (): boolean => true;
      if (!(await running.over(isEveryone, options.stopMs ?? LIMITS.serverStopMs.value))) {
        running.cut(isEveryone, new AppError("server_stopping"));
        await running.over(isEveryone, 1000);
      }
      await close(closers);
    });
    for (const origin of originsOf(settings, tls?.port, plain?.port)) origins.add(origin);
    return { kit, port: tls?.port, httpPort: plain?.port, socketPath, setupPath: () => setupPath(parts), stop };
  } catch (error) {
    await close(closers);
    throw error;
  }
}

/** Whatever a crash has left half written. Temporary files are in `tmp`, or beside what they were to replace. */
async function sweep(data: string): Promise<void> {
  await rm(join(data, "tmp"), { recursive: true, force: true });
  await mkdir(join(data, "tmp"), { mode: 0o700 });
  for (const name of await readdir(data)) if (/^\..*\.tmp$/.test(name)) await rm(join(data, name), { force: true });
}

function setupPath(parts: readonly ServerPart[]): string | undefined {
  for (const part of parts) {
    const token = part.setupToken?.();
    if (token !== undefined) return `/#/setup/${token}`;
  }
  return undefined;
}

/** Nobody has asked for the usual door of this machine's own browser, so a server whose port is taken goes without it. */
async function plainDoor(settings: ServerSettings, dispatch: Dispatch, logger: Logger): Promise<Listener | undefined> {
  const { listenHttp, trustProxy, isHttpOptional } = settings;
  if (listenHttp === undefined) return undefined;
  try {
    return await listenPlain(listenHttp, trustProxy, dispatch);
  } catch (error) {
    if (!isHttpOptional) throw error;
    logger.warn("no plain door for this machine's browser; listenHttp gives it another port", {
      error: error as Error,
    });
    return undefined;
  }
}

/** Under which browsers may have the server. */
function originsOf(settings: ServerSettings, port: number | undefined, httpPort: number | undefined): string[] {
  const hosts = ownHosts(settings).map((host) => (host.includes(":") ? `[${host}]` : host));
  return [
    ...(settings.publicUrl === undefined ? [] : [settings.publicUrl]),
    ...(port === undefined ? [] : hosts.map((host) => new URL(`https://${host}:${port}`).origin)),
    ...(httpPort === undefined ? [] : LOOPBACK.map((host) => new URL(`http://${host}:${httpPort}`).origin)),
  ];
}

function migrationsOf(modules: readonly PartModule[]): Migrations[] {
  return [VAULT_MIGRATIONS, ...modules.flatMap(({ migrations }) => migrations ?? [])];
}

/** What all parts allow together. */
async function admitted(parts: readonly ServerPart[], what: Admission): Promise<Allowance> {
  const allowances: Allowance[] = [];
  const end = (blockNos: readonly number[] | undefined): void => {
    for (const allowance of allowances) allowance.end(blockNos);
  };
  try {
    for (const part of parts) {
      const allowance = await part.admit?.(what);
      if (allowance !== undefined) allowances.push(allowance);
    }
  } catch (error) {
    end(undefined);
    throw error;
  }
  return {
    take(bytes) {
      for (const allowance of allowances) allowance.take(bytes);
    },
    end,
  };
}

async function authenticate(
  parts: readonly ServerPart[],
  request: IncomingMessage,
  address: string,
): Promise<Principal> {
  for (const part of parts) {
    const principal = await part.authenticate?.(request, address);
    if (principal !== undefined) return principal;
  }
  return { kind: "nobody" };
}

/** Answers how to stop it. What fails is tried again the next time. */
function every(intervalMs: number, work: () => Promise<void>): () => void {
  const timer = setInterval(() => void work().catch(() => undefined), intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Last opened, first closed. */
async function close(closers: (() => unknown)[]): Promise<void> {
  for (const closer of closers.splice(0).reverse()) await closer();
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
