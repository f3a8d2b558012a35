// A device for tests: speaks the API by its table of routes, without the engine. Blocks are random bytes, signatures are real.

import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import type { TLSSocket } from "node:tls";
import type { z } from "zod";
import { toHex } from "../../src/core/bytes.ts";
import type { DeviceId, SessionId, VaultId } from "../../src/core/ids.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import { checkMessage, decodeMessage, encodeMessage } from "../../src/wire/v4/api/coding.ts";
import { DEVICE_ROUTES } from "../../src/wire/v4/api/device-routes.ts";
import { MEDIA } from "../../src/wire/v4/api/media.ts";
import type { ParamsOf } from "../../src/wire/v4/api/parameters.ts";
import { errorOfProblem } from "../../src/wire/v4/api/problem.ts";
import { pathOf, type Route } from "../../src/wire/v4/api/route.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { BINDING_CERTIFICATE, loginStatement } from "../../src/wire/v4/login.ts";
import { encodeVaultRecord } from "../../src/wire/v4/vault-record.ts";
import { deviceAdd, keyslotAdd, newDevice, PLAN, type Prng, prng, signed, type World } from "../vault/kit.ts";
import type { Rig } from "./rig.ts";

export type At = { readonly port: number; readonly isTls: boolean } | { readonly socketPath: string };

export type Sent<R extends Route> = {
  readonly params?: ParamsOf<R["path"]> | Record<string, string | number>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: R extends { readonly body: { readonly schema: infer S extends z.ZodType } }
    ? z.output<S>
    : Uint8Array;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Got = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** SHA-256 of the server's certificate in this connection. */
  readonly certificate: Uint8Array | undefined;
};

type AnswerBody<R extends Route> = R["answer"] extends { readonly schema: infer S extends z.ZodType }
  ? z.output<S>
  : Buffer;

/** Calls a route and decodes its answer; a problem is thrown as the error that it is. */
export async function call<R extends Route>(at: At, route: R, sent: Sent<R> = {}): Promise<AnswerBody<R>> {
  const got = await callRaw(at, route, sent);
  if (got.status >= 400) throw problemIn(got);
  const { answer } = route;
  if (answer.kind === "msgpack") return decodeMessage(answer.schema, got.body) as never;
  if (answer.kind === "json") return checkMessage(answer.schema, JSON.parse(got.body.toString())) as never;
  return got.body as never;
}

export function problemIn({ body }: Pick<Got, "body">): Error {
  return errorOfProblem(JSON.parse(body.toString())) ?? new Error(`no problem: ${body}`);
}

export async function callRaw<R extends Route>(at: At, route: R, sent: Sent<R> = {}): Promise<Got> {
  const query = new URLSearchParams(Object.entries(sent.query ?? {}).map(([name, value]) => [name, String(value)]));
  const path = pathOf(route, (sent.params ?? {}) as never) + (query.size === 0 ? "" : `?${query}`);
  const { body: form } = route as Route;
  const body =
    sent.body === undefined || form === undefined
      ? undefined
      : form.kind === "msgpack"
        ? encodeMessage(form.schema, sent.body)
        : form.kind === "json"
          ? Buffer.from(JSON.stringify(sent.body))
          : (sent.body as Uint8Array);
  const headers = {
    ...(form === undefined ? {} : { "content-type": MEDIA[form.kind] }),
    ...(sent.token === undefined ? {} : { authorization: `Bearer ${sent.token}` }),
    ...sent.headers,
  };
  return send(at, route.method, path, headers, body);
}

export function send(
  at: At,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: Uint8Array,
): Promise<Got> {
  const isTls = "isTls" in at && at.isTls;
  return new Promise((resolve, reject) => {
    const options = {
      ...("port" in at ? { host: "127.0.0.1", port: at.port } : at),
      method,
      path,
      headers,
      agent: false,
    };
    const sent = isTls ? tlsRequest({ ...options, rejectUnauthorized: false }) : plainRequest(options);
    sent.on("response", (response) => {
      const slices: Buffer[] = [];
      const raw = isTls ? (response.socket as TLSSocket).getPeerX509Certificate()?.raw : undefined;
      response.on("data", (slice: Buffer) => slices.push(slice));
      response.on("error", reject);
      response.on("end", () => {
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: Buffer.concat(slices),
          certificate: raw && createHash("sha256").update(raw).digest(),
        });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** A vault of the server with its first device, in the shape that tests/vault/kit.ts makes packs and records for. */
export type ServedWorld = Pick<World, "vaultId" | "device" | "random" | "clock" | "keyslotFile"> & {
  readonly at: At;
  readonly name: string;
};

export function doorsOf({ server }: Rig): { tls: At; local: At } {
  return { tls: { port: server.port!, isTls: true }, local: { socketPath: server.socketPath } };
}

export async function makeVault(rig: Rig, name = "home", seed = 1): Promise<ServedWorld> {
  const { tls, local } = doorsOf(rig);
  const random = prng(seed);
  const vaultId = toHex(random.bytes(16)) as VaultId;
  const device = await newDevice();
  const keyslotFile = random.bytes(100);
  await call(local, VAULT_ROUTES.makeVault, { body: await newVault(name, vaultId, device, keyslotFile) });
  const clock = { now: () => Date.now(), monotonic: () => performance.now(), advance: () => undefined };
  return { vaultId, device, random, clock, keyslotFile, at: tls, name };
}

export async function newVault(name: string, vault: VaultId, device: Signer, keyslotFile: Uint8Array<ArrayBuffer>) {
  const { bytes: record } = await encodeVaultRecord({ vault, createdAt: 1, chunker: 1 });
  const statements = await Promise.all([
    signed(vault, device, deviceAdd(device, "first")),
    signed(vault, device, keyslotAdd(keyslotFile, "first")),
  ]);
  return { name, record, statements: statements.map(toWire), keyslotFiles: [keyslotFile] };
}

export function toWire({ type, body, by, sig }: Awaited<ReturnType<typeof signed>>) {
  return { type, body: { ...body }, by: by ?? null, sig: sig ?? null };
}

/** Logs a device in, bound to the certificate that this connection shows; a token. */
export async function logIn(world: Pick<ServedWorld, "at" | "name">, device: Signer): Promise<string> {
  const got = await callRaw(world.at, DEVICE_ROUTES.challenge, { body: { vault: world.name, device: device.device } });
  const { vault, challenge } = decodeMessage(DEVICE_ROUTES.challenge.answer.schema, got.body);
  const bindingKind = BINDING_CERTIFICATE;
  const claim = { vault, device: device.device as DeviceId, challenge, bindingKind };
  const sig = await device.sign(loginStatement({ ...claim, binding: got.certificate! }));
  return (await call(world.at, DEVICE_ROUTES.login, { body: { ...claim, sig } })).token;
}

export function newSessionId(random: Prng): SessionId {
  return toHex(random.bytes(16)) as SessionId;
}

export async function openSession(world: ServedWorld, token: string): Promise<SessionId> {
  const session = newSessionId(world.random);
  const params = { vault: world.name };
  await call(world.at, DEVICE_ROUTES.openSession, { params, token, body: { session, plan: PLAN, base: null } });
  return session;
}
