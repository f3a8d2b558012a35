// Signing in by a passkey, against a real server: what it takes, what it refuses, and what an owner sees of it.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { ATTEMPTS } from "../../src/server/limits/rules.ts";
import { testClock } from "../vault/kit.ts";
import { type Lie, SoftPasskey } from "./authenticator.ts";
import {
  addOwner,
  addPerson,
  Browser,
  bodyOf,
  login,
  machine,
  OWNER,
  PASSWORD,
  refused,
  setUpFactor,
  withKey,
} from "./people-kit.ts";
import { type Rig, startRig } from "./rig.ts";

type Asked = {
  origin: string;
  publicKey: { challenge: string; rpId: string; rp: { id: string }; excludeCredentials: { id: string }[] };
};
type Shown = { id: string; person: string; name: string; host: string; isSynced: boolean; lastUsedAt: number | null };

/** What was wrong in one test is forgotten in the next. */
const FORGOTTEN_MS = ATTEMPTS.passkey.subject.forgetMs + 1;
const clock = testClock(Date.now());
let rig: Rig;
beforeEach(() => clock.advance(FORGOTTEN_MS));
before(async () => {
  rig = await startRig({ clock });
  await addOwner(rig);
});
after(() => rig[Symbol.asyncDispose]());

async function signedIn(email: string, more: Parameters<typeof addPerson>[2] = { role: "viewer" }): Promise<Browser> {
  await addPerson(rig, email, more);
  const browser = new Browser(rig);
  await browser.signIn(email);
  return browser;
}

async function wish(browser: Browser, password = PASSWORD): Promise<Asked> {
  return bodyOf(await browser.call("POST", "/api/v4/passkeys/wish", { password }));
}

async function register(browser: Browser, name = "laptop"): Promise<{ key: SoftPasskey; shown: Shown }> {
  const key = new SoftPasskey();
  const body = { name, credential: key.make(await wish(browser)) };
  return { key, shown: bodyOf<Shown>(await browser.call("POST", "/api/v4/passkeys", body), 201) };
}

async function question(browser: Browser): Promise<Asked> {
  return bodyOf(await browser.call("POST", "/api/auth/passkey/question"));
}

async function signIn(browser: Browser, key: SoftPasskey, lie: Lie = {}, asked?: Asked) {
  const credential = key.confirm(asked ?? (await question(browser)), lie);
  return browser.call("POST", "/api/auth/passkey/sign-in", { credential });
}

const me = async (browser: Browser) =>
  bodyOf<{ email: string; freshUntil: number | null }>(await browser.call("GET", "/api/v4/me"));

describe("a passkey", () => {
  test("is added by whoever gives the password, signs in from a browser that knows nobody, and is named, listed and taken off", async () => {
    const own = await signedIn("ada@example.org");
    const { key, shown } = await register(own);
    assert.deepEqual([shown.name, shown.host, shown.lastUsedAt], ["laptop", "localhost", null]);

    const fresh = new Browser(rig);
    bodyOf(await signIn(fresh, key), 204);
    assert.equal((await me(fresh)).email, "ada@example.org");
    bodyOf(await fresh.call("PATCH", `/api/v4/passkeys/${shown.id}`, { name: "old laptop" }));
    const { passkeys } = bodyOf<{ passkeys: Shown[] }>(await own.call("GET", "/api/v4/passkeys"));
    assert.deepEqual(
      passkeys.map(({ name }) => name),
      ["old laptop"],
    );
    assert.ok(passkeys[0]!.lastUsedAt! > 0);
    assert.deepEqual(
      (await wish(own)).publicKey.excludeCredentials.map(({ id }) => id),
      [key.id.toString("base64url")],
    );

    bodyOf(await own.call("DELETE", `/api/v4/passkeys/${shown.id}`), 204);
    refused(await signIn(new Browser(rig), key), 401, "login_failed");
    assert.equal((await me(fresh)).email, "ada@example.org", "a sign-in is ended by itself");
  });

  test("is both factors: no code is asked for, and guarded routes are open until it is stale", async () => {
    const own = await signedIn("ben@example.org", { role: "owner" });
    const { key } = await register(own);
    await setUpFactor(own);
    const fresh = new Browser(rig);
    bodyOf(await signIn(fresh, key), 204);
    const guarded = () => fresh.call("DELETE", "/api/v4/people/nobody");
    refused(await guarded(), 404, "not_found");
    const { database } = rig.server.kit;
    database.run("UPDATE person_session SET factorAt = factorAt - 600000");
    refused(await guarded(), 403, "second_factor_needed");
    const credential = key.confirm(await question(fresh));
    bodyOf(await fresh.call("POST", "/api/v4/second-factor/passkey", { credential }));
    refused(await guarded(), 404, "not_found");
  });

  test("needs the password again, a page, and a fresh second factor where there is one", async () => {
    const own = await signedIn("cem@example.org");
    refused(await own.call("POST", "/api/v4/passkeys/wish", { password: "wrong password" }), 401, "login_failed");
    const byKey = withKey(rig, await login(rig, "cem@example.org"));
    refused(await byKey.call("POST", "/api/v4/passkeys/wish", { password: PASSWORD }), 403, "forbidden");
    await setUpFactor(own);
    rig.server.kit.database.run("UPDATE person_session SET factorAt = factorAt - 600000");
    refused(await own.call("POST", "/api/v4/passkeys/wish", { password: PASSWORD }), 403, "second_factor_needed");
  });

  test("is added in the sign-in that gave the password, and nowhere else", async () => {
    const own = await signedIn("dan@example.org");
    const other = await signedIn("eva@example.org");
    const body = { name: "x", credential: new SoftPasskey().make(await wish(own)) };
    refused(await other.call("POST", "/api/v4/passkeys", body), 401, "login_failed");
    bodyOf(await own.call("POST", "/api/v4/passkeys", body), 201);
    refused(await own.call("POST", "/api/v4/passkeys", body), 401, "login_failed");
    const asked = await question(own);
    const byQuestion = { ...asked, publicKey: { ...asked.publicKey, rp: { id: "localhost" } } };
    const made = { name: "y", credential: new SoftPasskey().make(byQuestion) };
    refused(await own.call("POST", "/api/v4/passkeys", made), 401, "login_failed");
  });

  test("is its owner's: others neither see nor touch it, an owner of the server takes it off", async () => {
    const own = await signedIn("fay@example.org");
    const { shown } = await register(own);
    const other = await signedIn("gil@example.org", { role: "operator" });
    refused(await other.call("GET", `/api/v4/passkeys?person=${shown.person}`), 404, "not_found");
    refused(await other.call("PATCH", `/api/v4/passkeys/${shown.id}`, { name: "mine" }), 404, "not_found");
    refused(await other.call("DELETE", `/api/v4/passkeys/${shown.id}`), 404, "not_found");
    const { passkeys } = bodyOf<{ passkeys: Shown[] }>(
      await machine(rig).call("GET", `/api/v4/passkeys?person=${shown.person}`),
    );
    assert.deepEqual(
      passkeys.map(({ id }) => id),
      [shown.id],
    );
    bodyOf(await machine(rig).call("DELETE", `/api/v4/passkeys/${shown.id}`), 204);
  });

  test("goes with its account", async () => {
    const own = await signedIn("hal@example.org");
    const { key, shown } = await register(own);
    bodyOf(await machine(rig).call("DELETE", `/api/v4/people/${shown.person}`), 204);
    refused(await signIn(new Browser(rig), key), 401, "login_failed");
  });
});

describe("an answer that is not right", () => {
  let key: SoftPasskey;
  before(async () => {
    ({ key } = await register(await signedIn("ivy@example.org")));
  });

  const LIES: readonly (readonly [string, Lie])[] = [
    ["a page of another site", { origin: "https://evil.example" }],
    ["another port of this machine", { origin: "http://localhost:1" }],
    ["another name", { rpId: "evil.example" }],
    ["nobody who confirmed with finger, face or PIN", { isVerified: false }],
    ["a challenge that nobody gave", { challenge: Buffer.alloc(56, 1).toString("base64url") }],
    ["the making of a passkey", { type: "webauthn.create" }],
    ["a signature of something else", { signature: Buffer.alloc(70, 1).toString("base64url") }],
  ];
  for (const [what, lie] of LIES) {
    test(`is refused: ${what}`, async () => {
      refused(await signIn(new Browser(rig), key, lie), 401, "login_failed");
    });
  }

  test("is refused the second time, and when the counter goes back", async () => {
    const browser = new Browser(rig);
    const credential = key.confirm(await question(browser), { counter: 100 });
    const send = () => new Browser(rig).call("POST", "/api/auth/passkey/sign-in", { credential });
    const replies = [await send(), await send()].map(({ status }) => status);
    assert.deepEqual(replies, [204, 401]);
    refused(await signIn(browser, key, { counter: 99 }), 401, "login_failed");
    bodyOf(await signIn(browser, key, { counter: 101 }), 204);
  });

  test("is refused from a page that is not this server's, and without any", async () => {
    const foreign = new Browser(rig);
    foreign.origin = "https://evil.example";
    refused(await foreign.call("POST", "/api/auth/passkey/question"), 403, "forbidden");
    const asked = await question(new Browser(rig));
    refused(await signIn(foreign, key, {}, asked), 403, "forbidden");
  });

  test("cannot be had where browsers have no passkeys: an address without a name", async () => {
    const browser = new Browser(rig);
    browser.origin = `http://127.0.0.1:${rig.server.httpPort}`;
    refused(await browser.call("POST", "/api/auth/passkey/question"), 400, "passkey_place");
  });
});

describe("guessing", () => {
  test("is delayed as with passwords, old questions are not taken, and the audit trail tells of all but the questions", async () => {
    const clock = testClock();
    await using own = await startRig({ clock });
    await addOwner(own);
    const olga = new Browser(own);
    await olga.signIn(OWNER);
    const key = new SoftPasskey();
    const asked = bodyOf<Asked>(await olga.call("POST", "/api/v4/passkeys/wish", { password: PASSWORD }));
    const added = await olga.call("POST", "/api/v4/passkeys", { name: "phone", credential: key.make(asked) });
    const { id } = bodyOf<Shown>(added, 201);

    const stranger = new Browser(own);
    const guess = () => signIn(stranger, key, { signature: Buffer.alloc(70, 1).toString("base64url") });
    for (let n = 0; n <= ATTEMPTS.passkey.subject.free; n++) refused(await guess(), 401, "login_failed");
    refused(await guess(), 429, "too_many_requests");
    refused(await signIn(stranger, key), 429, "too_many_requests");
    clock.advance(60_000);
    bodyOf(await signIn(stranger, key), 204);

    const old = await question(stranger);
    clock.advance(5 * 60_000);
    refused(await signIn(stranger, key, {}, old), 401, "login_failed");

    const { items } = bodyOf<{ items: { action: string; outcome: string; name: string; subject: string | null }[] }>(
      await machine(own).call("GET", "/api/v4/audit?limit=200"),
    );
    const told = items.filter(({ action }) => /asskey/.test(action));
    assert.ok(told.every(({ name }) => name === "Olga"));
    const counts = (action: string, outcome: string) =>
      told.filter((entry) => entry.action === action && entry.outcome === outcome).length;
    assert.equal(counts("passkeySignIn", "login_failed"), ATTEMPTS.passkey.subject.free + 2);
    assert.equal(counts("passkeySignIn", "ok"), 1);
    assert.equal(told.find(({ action, outcome }) => action === "addPasskey" && outcome === "ok")?.subject, id);
    assert.equal(told.filter(({ action }) => action === "passkeyQuestion").length, 0);
  });
});
