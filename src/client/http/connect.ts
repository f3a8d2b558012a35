// Makes connections to a server. Nothing of a request is handed to one before TLS 1.3 stands and the server is known to be the right
// one: the pinned one, or, without a pin, one that the machine's public authorities vouch for under its host name.

import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect as connectTls, getCACertificates, type TLSSocket } from "node:tls";
import type { Bytes } from "../../core/bytes.ts";
import { AppError, isAppError, throwIfAborted } from "../../core/errors.ts";
import type { Binding } from "../../engine/remote/transport.ts";
import { BINDING_CERTIFICATE } from "../../wire/v4/login.ts";
import { fingerprintOf, pinProblem, topOf } from "./pin.ts";
import { reasonOf } from "./reason.ts";

export type ServerAddress = {
  /** `https://host:port`. */
  readonly origin: string;
  /** SHA-256 of a certificate; undefined for public authorities. */
  readonly pin: Uint8Array | undefined;
};

export type ConnectOptions = {
  readonly connectMs: number;
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
};

export type Connection = { readonly socket: TLSSocket; readonly binding: Binding };

const HTTPS_PORT = 443;

/** Throws `server_unreachable`, `server_untrusted`, `interrupted`. */
export async function connectTo(address: ServerAddress, options: ConnectOptions): Promise<Connection> {
  throwIfAborted(options.signal);
  const socket = open(address.origin, address.pin ? { rejectUnauthorized: false } : { ca: publicAuthorities() });
  try {
    await secured(socket, options);
    return { socket, binding: checkedBinding(socket, address, options.now()) };
  } catch (error) {
    socket.destroy();
    throw error instanceof AppError ? error : failed(address, error);
  }
}

function open(origin: string, trust: { rejectUnauthorized?: boolean; ca?: string[] }): TLSSocket {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, "");
  const socket = connectTls({
    host,
    port: Number(port) || HTTPS_PORT,
    minVersion: "TLSv1.3",
    ALPNProtocols: ["http/1.1"],
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...trust,
  });
  socket.setNoDelay(true);
  return socket;
}

export type Inspected = {
  /** True when public authorities vouch for the server. */
  readonly isPublic: boolean;
  /** What to pin otherwise: the authority that it shows, or its own certificate. */
  readonly pin: Bytes;
};

/** Whom a server claims to be, for a person to compare. Nothing of a request is sent. */
export async function inspectServer(origin: string, options: ConnectOptions): Promise<Inspected> {
  let certificate: X509Certificate | undefined;
  const isPublic = await connectTo({ origin, pin: undefined }, options).then(
    ({ socket }) => {
      certificate = socket.getPeerX509Certificate();
      socket.destroy();
      return true;
    },
    (error: unknown) => {
      if (isAppError(error, "server_untrusted")) return false;
      throw error;
    },
  );
  if (!certificate) {
    const socket = open(origin, { rejectUnauthorized: false });
    await secured(socket, options);
    certificate = socket.getPeerX509Certificate()!;
    socket.destroy();
  }
  return { isPublic, pin: new Uint8Array(fingerprintOf(topOf(certificate))) };
}

function secured(socket: TLSSocket, { connectMs, signal }: ConnectOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.off("secureConnect", onSecure).off("error", onError).off("close", onClose);
      end();
    };
    const onSecure = (): void => settle(resolve);
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => onError(new Error("the connection was closed"));
    const onAbort = (): void => settle(() => reject(new AppError("interrupted")));
    const timer = setTimeout(() => onError(new Error("it does not answer")), connectMs);
    signal?.addEventListener("abort", onAbort);
    socket.on("secureConnect", onSecure).on("error", onError).on("close", onClose);
  });
}

function checkedBinding(socket: TLSSocket, { origin, pin }: ServerAddress, now: number): Binding {
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) throw untrusted(origin, "it shows no certificate.");
  const problem = pin && pinProblem(leaf, pin, now);
  if (problem) throw untrusted(origin, problem);
  return { kind: BINDING_CERTIFICATE, hash: new Uint8Array(fingerprintOf(leaf)) };
}

function failed({ origin, pin }: ServerAddress, error: unknown): AppError {
  const { code = "" } = error as NodeJS.ErrnoException;
  // What OpenSSL and Node call certificates that they do not take, when they are the ones who judge.
  const isJudged = pin === undefined && /CERT|SIGNATURE|ISSUER|^ERR_TLS_/.test(code);
  if (!isJudged)
    return new AppError("server_unreachable", { cause: error, context: { address: origin, detail: reasonOf(error) } });
  return untrusted(origin, `no public authority vouches for its certificate (${code}).`, error);
}

function untrusted(address: string, detail: string, cause?: unknown): AppError {
  return new AppError("server_untrusted", { cause, context: { address, detail } });
}

let authorities: string[] | undefined;

/** Node's list and the machine's own. */
function publicAuthorities(): string[] {
  authorities ??= [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
  return authorities;
}
