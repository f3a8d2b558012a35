// People for tests: a browser that keeps cookies, callers with a key, and an authenticator.

import assert from "node:assert/strict";
import { base32 } from "@better-auth/utils/base32";
import { createOTP } from "@better-auth/utils/otp";
import { type Ask, ask, type Reply, type Rig } from "./rig.ts";

export const PASSWORD = "correct horse battery";
export const OWNER = "olga@example.org";

export type Caller = {
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
};

type Place = { port: number } | { socketPath: string };

export function placeOf(rig: Rig): { port: number } {
  return { port: rig.server.httpPort! };
}

export function originOf(rig: Rig): string {
  return `http://localhost:${rig.server.httpPort}`;
}

/** Sends JSON; a string goes as it is. */
export function callerAt(place: Place, headers: Record<string, string> = {}): Caller {
  return {
    call(method, path, body, more = {}) {
      const options: Ask = {
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers, ...more },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      };
      return ask(place, path, options);
    },
  };
}

export function machine(rig: Rig): Caller {
  return callerAt({ socketPath: rig.server.socketPath });
}

export function withKey(rig: Rig, key: string): Caller {
  return callerAt(placeOf(rig), { authorization: `Bearer ${key}` });
}

/** Keeps cookies, and says where it comes from. */
export class Browser implements Caller {
  readonly cookies = new Map<string, string>();
  readonly #place: Place;
  origin: string;

  constructor(rig: Rig) {
    this.#place = placeOf(rig);
    this.origin = originOf(rig);
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const own = { origin: this.origin, ...(cookie === "" ? {} : { cookie }), ...headers };
    const reply = await callerAt(this.#place, own).call(method, path, body);
    for (const line of reply.headers["set-cookie"] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (/max-age=0/i.test(line) || value === "") this.cookies.delete(name!);
      else this.cookies.set(name!, value!);
    }
    return reply;
  }

  async signIn(email: string, password: string = PASSWORD): Promise<{ needsFactor: boolean }> {
    return bodyOf(await this.call("POST", "/api/auth/sign-in/email", { email, password }), 200);
  }
}

export function bodyOf<T = Record<string, never>>(reply: Reply, status = 200): T {
  assert.equal(reply.status, status, reply.body.toString());
  return (reply.body.length === 0 ? undefined : JSON.parse(reply.body.toString())) as T;
}

export function refused(reply: Reply, status: number, code: string): void {
  const problem = JSON.parse(reply.body.toString() || "{}") as { code?: string };
  assert.deepEqual([reply.status, problem.code], [status, code], reply.body.toString());
}

export async function addOwner(rig: Rig): Promise<{ id: string }> {
  return bodyOf(await machine(rig).call("POST", "/api/v4/setup", { email: OWNER, name: "Olga", password: PASSWORD }));
}

export async function addPerson(
  rig: Rig,
  email: string,
  more: { role?: string; grants?: { vault: string; role: string }[] } = {},
): Promise<{ id: string }> {
  const asked = { email, name: email.split("@")[0], password: PASSWORD, ...more };
  return bodyOf<{ person: { id: string } }>(await machine(rig).call("POST", "/api/v4/people", asked), 201).person;
}

/** A key by e-mail and password, as `cyberbackup login` gets one. */
export async function login(rig: Rig, email: string, more: object = {}): Promise<string> {
  const asked = { email, password: PASSWORD, name: "test", ...more };
  const reply = await callerAt(placeOf(rig)).call("POST", "/api/v4/login/person", asked);
  return bodyOf<{ key: string }>(reply, 201).key;
}

export type Authenticator = {
  /** The code of `steps` half minutes from now; each code is good once, and -1, 0 and 1 are taken. */
  code(steps?: number): Promise<string>;
  readonly recoveryCodes: string[];
};

/** Sets up a second factor for whoever is signed in. */
export async function setUpFactor(browser: Browser): Promise<Authenticator> {
  const made = bodyOf<{ totpURI: string; recoveryCodes: string[] }>(
    await browser.call("POST", "/api/auth/two-factor/enable", { password: PASSWORD }),
  );
  const secret = new TextDecoder().decode(base32.decode(new URL(made.totpURI).searchParams.get("secret")!));
  // Counted from one moment: the next period may begin in the middle of a test, and the code that is used here must stay the used one.
  let period = Math.floor(Date.now() / 30_000);
  const code = (steps = 0): Promise<string> => createOTP(secret).hotp(period + steps);
  const verify = async () => browser.call("POST", "/api/auth/two-factor/verify-totp", { code: await code(-1) });
  let verified = await verify();
  const now = Math.floor(Date.now() / 30_000);
  if (verified.status >= 400 && now > period) {
    // It began just now, and the code before the last is too old.
    period = now;
    verified = await verify();
  }
  bodyOf(verified, 204);
  return { code, recoveryCodes: made.recoveryCodes };
}
