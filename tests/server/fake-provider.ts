// A provider of OpenID Connect on loopback, as small as one can be: it lets everybody in as whom the test says. What it is asked is checked as a real one
// checks it (client, redirect, PKCE), and it can be told to lie.

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

export const CLIENT = "cyberbackup-test";
export const SECRET = "canary: a+secret/of the&client";

export type Who = { sub: string; email?: string; email_verified?: boolean; name?: string };
/** What the next ID token has otherwise than it should. */
export type Lie = { claims?: JWTPayload; isForeignKey?: boolean; isUnsigned?: boolean };

type Pending = { readonly who: Who; readonly nonce: string; readonly challenge: string; readonly redirectUri: string };

export class FakeProvider {
  who: Who = { sub: "1", email: "ada@example.org", email_verified: true, name: "Ada" };
  lie: Lie = {};
  /** Whether tokens leave the address to the user info endpoint. */
  isTerse = false;
  /** Paths, in the order in which they were asked for. */
  readonly asked: string[] = [];
  readonly #codes = new Map<string, Pending>();
  readonly #now: () => number;
  #keys: Awaited<ReturnType<typeof generateKeyPair>> | undefined;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  async start(): Promise<this> {
    this.#keys = await generateKeyPair("ES256");
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/realm`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** What a person's browser does there: the address that it is sent back to. */
  visit(address: string): URL {
    const asked = new URL(address).searchParams;
    const redirectUri = asked.get("redirect_uri")!;
    const code = `code-${this.#codes.size}-${asked.get("state")!.slice(0, 6)}`;
    const challenge = asked.get("code_challenge_method") === "S256" ? asked.get("code_challenge")! : "none";
    this.#codes.set(code, { who: this.who, nonce: asked.get("nonce")!, challenge, redirectUri });
    const back = new URL(redirectUri);
    back.searchParams.set("code", code);
    back.searchParams.set("state", asked.get("state")!);
    back.searchParams.set("iss", this.issuer);
    return back;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.issuer);
    const path = url.pathname.slice("/realm".length);
    this.asked.push(path);
    const json = (content: unknown, status = 200): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(content));
    };
    if (path === "/.well-known/openid-configuration") {
      json({
        issuer: this.issuer,
        authorization_endpoint: `${this.issuer}/authorize`,
        token_endpoint: `${this.issuer}/token`,
        jwks_uri: `${this.issuer}/keys`,
        userinfo_endpoint: `${this.issuer}/userinfo`,
      });
    } else if (path === "/keys") {
      json({ keys: [{ ...(await exportJWK(this.#keys!.publicKey)), kid: "k", alg: "ES256", use: "sig" }] });
    } else if (path === "/authorize") {
      response.writeHead(302, { location: this.visit(url.href).href }).end();
    } else if (path === "/userinfo") {
      json(this.who);
    } else if (path === "/token") {
      const form = new URLSearchParams(await textOf(request));
      const pending = this.#codes.get(form.get("code") ?? "");
      this.#codes.delete(form.get("code") ?? "");
      const basic = `Basic ${Buffer.from([CLIENT, SECRET].map(encodeURIComponent).join(":")).toString("base64")}`;
      if (request.headers.authorization !== basic) return json({ error: "invalid_client" }, 401);
      const proof = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      if (pending?.challenge !== proof || pending.redirectUri !== form.get("redirect_uri")) {
        return json({ error: "invalid_grant" }, 400);
      }
      json({ token_type: "Bearer", access_token: "an access token", id_token: await this.#idToken(pending) });
    } else json({}, 404);
  }

  async #idToken({ who, nonce }: Pending): Promise<string> {
    const { claims = {}, isForeignKey, isUnsigned } = this.lie;
    this.lie = {};
    const now = Math.floor(this.#now() / 1000);
    const told = this.isTerse ? { sub: who.sub } : who;
    const payload = { iss: this.issuer, aud: CLIENT, iat: now, exp: now + 300, nonce, ...told, ...claims };
    if (isUnsigned) {
      const part = (content: object): string => Buffer.from(JSON.stringify(content)).toString("base64url");
      return `${part({ alg: "none" })}.${part(payload)}.`;
    }
    const { privateKey } = isForeignKey ? await generateKeyPair("ES256") : this.#keys!;
    return new SignJWT(payload).setProtectedHeader({ alg: "ES256", kid: "k" }).sign(privateKey);
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const slices: Buffer[] = [];
  for await (const slice of request) slices.push(slice as Buffer);
  return Buffer.concat(slices).toString();
}
