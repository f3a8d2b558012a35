// A device for load: one connection that stays, calls by the table of routes, packs of random bytes with real signatures.

import { createHash } from "node:crypto";
import type { ClientRequest } from "node:http";
import { Agent, request } from "node:https";
import type { TLSSocket } from "node:tls";
import type { z } from "zod";
import { toHex } from "../../src/core/bytes.ts";
import type { DeviceId, SessionId } from "../../src/core/ids.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/v4/api/coding.ts";
import { DEVICE_ROUTES } from "../../src/wire/v4/api/device-routes.ts";
import { MEDIA } from "../../src/wire/v4/api/media.ts";
import { pathOf, type Route } from "../../src/wire/v4/api/route.ts";
import { BINDING_CERTIFICATE, loginStatement } from "../../src/wire/v4/login.ts";

const SLICE_BYTES = 64 * 1024;

export type Place = { readonly port: number; readonly vault: string };

type Answered<R extends Route> = R["answer"] extends { readonly schema: infer S extends z.ZodType }
  ? z.output<S>
  : Buffer;

export class LoadDevice {
  readonly #place: Place;
  readonly #signer: Signer;
  readonly #bytesPerSecond: number | undefined;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  #token: string | undefined;

  /** `bytesPerSecond`: how fast packs are sent; undefined: as fast as it goes. */
  constructor(place: Place, signer: Signer, bytesPerSecond?: number) {
    this.#place = place;
    this.#bytesPerSecond = bytesPerSecond;
    this.#signer = signer;
  }

  get device(): DeviceId {
    return this.#signer.device;
  }

  async logIn(): Promise<void> {
    const { vault: name } = this.#place;
    const asked = await this.#send(
      DEVICE_ROUTES.challenge,
      {},
      encoded(DEVICE_ROUTES.challenge, { vault: name, device: this.device }),
    );
    const { vault, challenge } = decodeMessage(DEVICE_ROUTES.challenge.answer.schema, asked.body);
    const claim = { vault, device: this.device, challenge, bindingKind: BINDING_CERTIFICATE } as const;
    const binding = createHash("sha256").update(asked.certificate).digest();
    const sig = await this.#signer.sign(loginStatement({ ...claim, binding }));
    const answer = await this.#send(DEVICE_ROUTES.login, {}, encoded(DEVICE_ROUTES.login, { ...claim, sig }));
    this.#token = decodeMessage(DEVICE_ROUTES.login.answer.schema, answer.body).token;
  }

  /** As over a slow line: so many uploads are under way at a time, none of them in one burst. */
  async #trickle(sent: ClientRequest, body: Uint8Array): Promise<void> {
    const startedAt = performance.now();
    for (let at = 0; at < body.length && !sent.destroyed; at += SLICE_BYTES) {
      const dueMs = ((at + SLICE_BYTES) / this.#bytesPerSecond!) * 1000 - (performance.now() - startedAt);
      if (dueMs > 0) await new Promise((resolve) => setTimeout(resolve, dueMs));
      sent.write(body.subarray(at, at + SLICE_BYTES));
    }
    // At once: until it has ended, the connection is not free for what follows the answer.
    sent.end();
  }

  /** Throws with what the server said when it is no success. */
  async call<R extends Route>(route: R, params: Record<string, string | number>, body?: unknown): Promise<Answered<R>> {
    const sent = body === undefined ? undefined : body instanceof Uint8Array ? body : encoded(route, body);
    const { body: answer } = await this.#send(route, { vault: this.#place.vault, ...params }, sent);
    return (route.answer.kind === "msgpack" ? decodeMessage(route.answer.schema, answer) : answer) as never;
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(
    route: Route,
    params: Record<string, string | number>,
    body: Uint8Array | undefined,
  ): Promise<{ readonly body: Buffer; readonly certificate: Buffer }> {
    const headers = {
      ...(route.body === undefined ? {} : { "content-type": MEDIA[route.body.kind] }),
      ...(body === undefined ? {} : { "content-length": body.length }),
      ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
    };
    const options = { host: "127.0.0.1", port: this.#place.port, agent: this.#agent, method: route.method, headers };
    return new Promise((resolve, reject) => {
      const sent = request({ ...options, path: pathOf(route, params) }, (response) => {
        const slices: Buffer[] = [];
        // While the connection is still the answer's.
        const certificate = (response.socket as TLSSocket).getPeerX509Certificate()!.raw;
        response.on("data", (slice: Buffer) => slices.push(slice));
        response.on("error", reject);
        response.on("end", () => {
          const answer = Buffer.concat(slices);
          if (response.statusCode! >= 400) return reject(new Error(`${route.path}: ${response.statusCode} ${answer}`));
          resolve({ body: answer, certificate });
        });
      });
      sent.on("error", reject);
      if (route.body?.kind !== "pack" || this.#bytesPerSecond === undefined) sent.end(body);
      else void this.#trickle(sent, body!);
    });
  }
}

export function newSessionId(): SessionId {
  return toHex(crypto.getRandomValues(new Uint8Array(16))) as SessionId;
}

function encoded(route: Route, body: unknown): Uint8Array {
  if (route.body?.kind !== "msgpack") throw new Error(`${route.path} takes no message`);
  return encodeMessage(route.body.schema, body);
}
