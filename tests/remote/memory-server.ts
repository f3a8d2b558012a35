// A server in memory: the table of routes with a real vault behind it, and the transport that a client uses it by. No sockets, no
// clock. Tests change answers, cut streams off and refuse by its hooks; what a real server does is tested over loopback.

import { type Bytes, concatBytes, toHex } from "../../src/core/bytes.ts";
import { AppError, ERRORS, isAppError } from "../../src/core/errors.ts";
import type { ChunkId, DeviceId, KeyslotId, SessionId, SnapshotId, VaultId } from "../../src/core/ids.ts";
import { verifySignature } from "../../src/crypto/signature.ts";
import type { BoundConnection, HttpAnswer, HttpRequest, HttpTransport } from "../../src/engine/remote/transport.ts";
import { locateBlock } from "../../src/vault/block-index.ts";
import type { LocalVault } from "../../src/vault/local-vault.ts";
import { encodeBlockLength } from "../../src/wire/v4/api/block-stream.ts";
import { encodeFound, encodeLocated } from "../../src/wire/v4/api/chunk-answers.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/v4/api/coding.ts";
import { DEVICE_ROUTES } from "../../src/wire/v4/api/device-routes.ts";
import { problemOf } from "../../src/wire/v4/api/problem.ts";
import type { Route } from "../../src/wire/v4/api/route.ts";
import { loginStatement } from "../../src/wire/v4/login.ts";
import type { BlockLocation } from "../../src/wire/v4/vault-port.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { hashOf } from "../vault/kit.ts";

export type RouteName = keyof typeof DEVICE_ROUTES;

type Incoming = {
  readonly name: RouteName;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  // biome-ignore lint/suspicious/noExplicitAny: each handler knows the schema of its row
  readonly body: any;
  readonly headers: Readonly<Record<string, string>>;
  readonly device: DeviceId | undefined;
};

/** A message or bytes, as the route answers them. */
// biome-ignore lint/suspicious/noExplicitAny: as above
type Given = any;

export class MemoryServer {
  vault: LocalVault;
  /** Every call that came, in order. */
  readonly calls: RouteName[] = [];
  /** Every byte that crossed, both ways. */
  readonly crossed: Bytes[] = [];
  /** Changes what a route answers, or throws instead. */
  readonly change: Partial<Record<RouteName, (answer: Given, call: Incoming) => Given | Promise<Given>>> = {};
  /** Answers in place of the vault. */
  readonly instead: Partial<Record<RouteName, (call: Incoming) => Given>> = {};
  /** Looks at each call before it is done: throws to refuse it, or to be "not there". */
  before: (call: Pick<Incoming, "name">, number: number) => void | Promise<void> = () => undefined;
  /** Bytes of an answer after which the connection is lost, once. */
  cutAnswerAfter: number | undefined;
  readonly #tokens = new Map<string, DeviceId>();
  readonly #challenges = new Set<string>();
  readonly #receipts = new Map<string, { pack: string; answer: Given }>();
  #count = 0;

  constructor(vault: LocalVault) {
    this.vault = vault;
  }

  /** As a server that started again. */
  forgetTokens(): void {
    this.#tokens.clear();
  }

  transport(): HttpTransport {
    const send = (request: HttpRequest): Promise<HttpAnswer> => this.#serve(request);
    const binding = { kind: 1, hash: BINDING };
    return {
      origin: "https://memory",
      send,
      bind: async (): Promise<BoundConnection> => ({ binding, send, close: async () => undefined }),
      close: async () => undefined,
    };
  }

  async #serve(request: HttpRequest): Promise<HttpAnswer> {
    const url = new URL(request.path, "https://memory");
    const found = findRoute(request.method, url.pathname);
    if (!found) throw new Error(`no route ${request.method} ${url.pathname}`);
    this.calls.push(found.name);
    const sent = request.body === undefined ? new Uint8Array() : bodyBytes(request.body);
    this.crossed.push(sent);
    try {
      await this.before(found, this.#count++);
      const route: Route = DEVICE_ROUTES[found.name];
      const device = this.#tokens.get(request.headers.authorization ?? "");
      if (!route.who.includes("anyone") && device === undefined) throw new AppError("token_expired");
      const { body } = route;
      const incoming: Incoming = {
        ...found,
        query: url.searchParams,
        body: body?.kind === "msgpack" ? decodeMessage(body.schema, sent) : sent,
        headers: request.headers,
        device,
      };
      const plain = await (this.instead[found.name]?.(incoming) ?? this.#handle(incoming));
      const given = (await this.change[found.name]?.(plain, incoming)) ?? plain;
      return this.#answer(route, given);
    } catch (error) {
      if (!isAppError(error) || error.code === "server_unreachable" || error.code === "interrupted") throw error;
      const { http } = ERRORS[error.code];
      return this.#send(http, Buffer.from(JSON.stringify(problemOf(error, "test"))), {
        ...(typeof error.context.retryAfter === "number" ? { "retry-after": String(error.context.retryAfter) } : {}),
      });
    }
  }

  #answer(route: Route, given: Given): HttpAnswer {
    if (given === NOT_MODIFIED) return this.#send(304, new Uint8Array(), {});
    const { tag, ...message } = given ?? {};
    const headers: Record<string, string> = tag === undefined ? {} : { etag: tag };
    const { answer } = route;
    const bytes = answer.kind === "msgpack" ? encodeMessage(answer.schema, message) : (given ?? new Uint8Array());
    return this.#send(answer.kind === "empty" ? 204 : 200, bytes, headers);
  }

  #send(status: number, bytes: Uint8Array, headers: Readonly<Record<string, string>>): HttpAnswer {
    this.crossed.push(bytes.slice());
    const cut = this.cutAnswerAfter;
    const isCut = cut !== undefined && cut < bytes.length;
    if (isCut) this.cutAnswerAfter = undefined;
    async function* body(): AsyncGenerator<Uint8Array> {
      const shown = isCut ? bytes.subarray(0, cut) : bytes;
      for (let at = 0; at < shown.length; at += 1000) yield shown.subarray(at, at + 1000);
      if (isCut) throw lost();
    }
    return { status, header: (name) => headers[name], body: body() };
  }

  async #handle({ name, params, query, body, headers, device }: Incoming): Promise<Given> {
    const { vault } = this;
    const session = params.session as SessionId;
    switch (name) {
      case "challenge": {
        const challenge = pseudoRandomBytes(this.#count, 32);
        this.#challenges.add(toHex(challenge));
        return { vault: vault.vaultId, challenge, expiresAt: 0 };
      }
      case "login": {
        const row = (await vault.devices()).find((known) => known.device === body.device && !known.revoked);
        const claim = loginStatement({ ...body, vault: body.vault as VaultId, binding: BINDING });
        const isFresh = this.#challenges.delete(toHex(body.challenge));
        if (!isFresh || !row || !(await verifySignature(row.publicKey, claim, body.sig))) {
          throw new AppError("login_failed");
        }
        const token = `token-${this.#count}`;
        this.#tokens.set(`Bearer ${token}`, body.device);
        return { token, expiresAt: 0 };
      }
      case "head":
        return { vault: vault.vaultId, ...(await vault.head()) };
      case "log":
        return { entries: await vault.logAfter(Number(query.get("after")), Number(query.get("limit"))) };
      case "devices":
        return { devices: await vault.devices() };
      case "keyslots":
        return { keyslots: await vault.keyslots() };
      case "keyslot":
        return vault.keyslotFile(params.keyslot as KeyslotId);
      case "snapshots": {
        const tag = `"${(await vault.head()).id}"`;
        if (headers["if-none-match"] === tag) return NOT_MODIFIED;
        const rows = await vault.snapshots();
        const nulled = rows.map((row) => ({
          ...row,
          trashedAt: row.trashedAt ?? null,
          pinnedUntil: row.pinnedUntil ?? null,
        }));
        return { snapshots: nulled, tag };
      }
      case "snapshotRecord":
        return vault.snapshotRecord(params.snapshot as SnapshotId);
      case "openSession":
        return vault.openSession({ ...body, base: body.base ?? undefined, device: device! });
      case "renewSession":
        return vault.renewSession(session);
      case "closeSession":
        return vault.closeSession(session);
      case "findChunks":
        return encodeFound(await vault.findChunks(session, body.ids));
      case "putPack":
        return this.#putPack(session, `${session} ${params.n}`, body);
      case "commit": {
        const { id, head, receivedAt } = await vault.commit(session, body);
        return { id, seq: head.seq, head: head.id, receivedAt };
      }
      case "locateChunks":
        return encodeLocated(await vault.locateChunks(idsIn(body.ids), body.snapshot ?? undefined));
      case "fetchBlocks":
        return this.#fetchBlocks(body.blockNos);
      case "sessionKeys": {
        const keys = await vault.sealedSessionKeys(body.sessions);
        return { keys: [...keys].map(([id, key]) => ({ session: id, key })) };
      }
      case "enroll":
      case "pack":
        throw new Error(`${name} is tested against a real server`);
    }
  }

  async #putPack(session: SessionId, number: string, bytes: Bytes): Promise<Given> {
    const known = this.#receipts.get(number);
    const pack = hashOf(bytes);
    if (known && known.pack !== pack) throw new AppError("pack_conflict", { context: { n: number } });
    if (known) return known.answer;
    const { packId, blockNos } = await this.vault.putPack(session, once(bytes));
    const answer = { pack: packId, blockNos };
    this.#receipts.set(number, { pack, answer });
    return answer;
  }

  async #fetchBlocks(blockNos: readonly number[]): Promise<Bytes> {
    const parts: Uint8Array[] = [];
    for (const blockNo of blockNos) {
      const block = locationOf(this.vault, blockNo);
      for await (const { sealed } of this.vault.fetchBlocks(block ? [block] : [])) {
        parts.push(encodeBlockLength(sealed.length), sealed);
      }
      if (!block) parts.push(encodeBlockLength(0));
    }
    return concatBytes(parts);
  }
}

const NOT_MODIFIED = Symbol("not modified");

const BINDING = pseudoRandomBytes(77, 32);

export function lost(): AppError {
  return new AppError("server_unreachable", { context: { address: "memory", detail: "the connection was lost" } });
}

function findRoute(method: string, path: string): { name: RouteName; params: Record<string, string> } | undefined {
  for (const [name, route] of Object.entries(DEVICE_ROUTES)) {
    if (route.method !== method) continue;
    const pattern = new RegExp(`^${route.path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);
    const match = pattern.exec(path);
    if (match) return { name: name as RouteName, params: { ...match.groups } };
  }
  return undefined;
}

function bodyBytes(body: NonNullable<HttpRequest["body"]>): Bytes {
  return body instanceof Uint8Array ? body.slice() : concatBytes([...body.slices()]);
}

function idsIn(bytes: Uint8Array): ChunkId[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.slice(i * 32, i * 32 + 32) as ChunkId);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function locationOf(vault: LocalVault, blockNo: number): BlockLocation | undefined {
  return locateBlock(vault.context.database, blockNo);
}
