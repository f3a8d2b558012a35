// Signing in by a provider of OpenID Connect, against a real server and a provider on loopback: who comes in, as whom, and what is refused.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { ATTEMPTS } from "../../src/server/limits/rules.ts";
import type { OidcProvider } from "../../src/server/people/oidc-settings.ts";
import { TICKET_LIVES_MS } from "../../src/server/people/oidc-ticket.ts";
import { testClock } from "../vault/kit.ts";
import { CLIENT, FakeProvider, type Lie, SECRET, type Who } from "./fake-provider.ts";
import { addOwner, addPerson, Browser, bodyOf, machine, OWNER, PASSWORD, refused, setUpFactor } from "./people-kit.ts";
import { type Reply, type Rig, startRig } from "./rig.ts";

const FORGOTTEN_MS = ATTEMPTS.provider.address.forgetMs + 1;
const clock = testClock(Date.now());
const provider = new FakeProvider(() => clock.now());
let rig: Rig;
/** Takes newcomers in. */
let open: Rig;
before(async () => {
  await provider.start();
  const one: OidcProvider = {
    ...{ id: "house", name: "House", issuer: provider.issuer, clientId: CLIENT, clientSecret: SECRET },
    newcomers: null,
  };
  const started = [one, { ...one, newcomers: "viewer" as const }].map((each) =>
    startRig({ clock, settings: { oidc: [each] } }),
  );
  [rig, open] = (await Promise.all(started)) as [Rig, Rig];
  await addOwner(rig);
});
after(async () => {
  await Promise.all([rig[Symbol.asyncDispose](), open[Symbol.asyncDispose]()]);
  await provider.stop();
});
beforeEach(() => {
  provider.lie = {};
  provider.isTerse = false;
});

async function begin(browser: Browser): Promise<URL> {
  const reply = await browser.call("POST", "/api/auth/oidc/begin", { provider: "house" });
  return provider.visit(bodyOf<{ url: string }>(reply).url);
}

function finish(browser: Browser, back: URL, changes: Record<string, string> = {}): Promise<Reply> {
  const given = Object.fromEntries(back.searchParams);
  return browser.call("POST", "/api/auth/oidc/finish", { ...given, ...changes });
}

/** The whole way, as `who`. */
async function signIn(who: Who, lie: Lie = {}, at: Rig = rig): Promise<{ browser: Browser; reply: Reply }> {
  provider.who = who;
  const browser = new Browser(at);
  const back = await begin(browser);
  provider.lie = lie;
  return { browser, reply: await finish(browser, back) };
}

const verified = (sub: string, email: string): Who => ({ sub, email, email_verified: true, name: "Somebody" });
const me = async (browser: Browser) =>
  bodyOf<{ email: string; role: string | null; hasPassword: boolean; freshUntil: number | null }>(
    await browser.call("GET", "/api/v4/me"),
  );
const trail = async () =>
  bodyOf<{ items: { action: string; outcome: string; name: string | null; subject: string | null }[] }>(
    await machine(rig).call("GET", "/api/v4/audit"),
  ).items;

describe("a sign-in by a provider", () => {
  test("finds the account by its verified address, stays with it when the address changes, and says so in the audit trail", async () => {
    await addPerson(rig, "ada@example.org", { role: "operator" });
    const first = await signIn(verified("ada-1", "Ada@Example.org"));
    assert.deepEqual(bodyOf(first.reply), { needsFactor: false });
    assert.deepEqual(await me(first.browser), {
      ...(await me(first.browser)),
      email: "ada@example.org",
      freshUntil: null,
    });
    for (const line of first.reply.headers["set-cookie"] ?? []) {
      assert.match(line, /HttpOnly/i);
      assert.match(line, /SameSite=Strict/i);
    }
    const [entry] = await trail();
    assert.deepEqual(
      [entry?.action, entry?.outcome, entry?.name, entry?.subject],
      ["oidcFinish", "ok", "ada", "house"],
    );

    const moved = await signIn(verified("ada-1", "ada@elsewhere.example"));
    assert.equal((await me(moved.browser)).email, "ada@example.org");
    // Somebody else who was given her old address there is not her.
    refused((await signIn(verified("ada-2", "ada@example.org"))).reply, 403, "sign_in_unknown");
  });

  test("takes the address from the user info where the token has none, and lets in who was invited and has no password yet", async () => {
    const added = { email: "ben@example.org", name: "Ben", role: "viewer", grants: [] };
    bodyOf(await machine(rig).call("POST", "/api/v4/people", added), 201);
    provider.isTerse = true;
    const { browser } = await signIn(verified("ben", "ben@example.org"));
    assert.deepEqual([(await me(browser)).email, (await me(browser)).hasPassword], ["ben@example.org", false]);
  });

  test("lets in nobody else: no account, an address that is not verified, none at all", async () => {
    for (const who of [
      verified("eve", "eve@example.org"),
      { ...verified("olga", OWNER), email_verified: false },
      { sub: "olga", email: OWNER },
      { sub: "nobody" },
    ]) {
      const { browser, reply } = await signIn(who);
      refused(reply, 403, "sign_in_unknown");
      assert.equal((await browser.call("GET", "/api/v4/me")).status, 401);
    }
    assert.equal((await trail())[0]?.outcome, "sign_in_unknown");
    const taken = await signIn(verified("eve", "eve@example.org"), {}, open);
    assert.equal((await me(taken.browser)).role, "viewer");
  });

  test("asks for the authenticator of who has one here", async () => {
    await addPerson(rig, "cleo@example.org", { role: "viewer" });
    const own = new Browser(rig);
    await own.signIn("cleo@example.org", PASSWORD);
    const authenticator = await setUpFactor(own);
    const { browser, reply } = await signIn(verified("cleo", "cleo@example.org"));
    assert.deepEqual(bodyOf(reply), { needsFactor: true });
    assert.equal((await browser.call("GET", "/api/v4/me")).status, 401);
    bodyOf(await browser.call("POST", "/api/auth/two-factor/verify-totp", { code: await authenticator.code() }), 204);
    assert.notEqual((await me(browser)).freshUntil, null);
  });

  test("takes no token that was made by or for somebody else, is too old, or is not signed", async () => {
    const past = Math.floor(clock.now() / 1000) - 3600;
    for (const lie of [
      { claims: { nonce: "another" } },
      { claims: { iss: "https://other.example" } },
      { claims: { aud: "another client" } },
      { claims: { aud: [CLIENT, "another client"], azp: "another client" } },
      { claims: { iat: past, exp: past + 60 } },
      { isForeignKey: true },
      { isUnsigned: true },
    ] satisfies Lie[]) {
      const { reply } = await signIn(verified("olga", OWNER), lie);
      refused(reply, 502, "sign_in_provider");
      assert.ok(!reply.body.toString().includes(OWNER));
    }
  });

  test("is good for the browser that began, once, in its time, with its own state, from a page of this server", async () => {
    provider.who = verified("ada-1", "ada@example.org");
    const browser = new Browser(rig);
    const back = await begin(browser);
    const before = provider.asked.length;
    refused(await finish(new Browser(rig), back), 401, "token_expired");
    const other = new Browser(rig);
    const theirs = await begin(other);
    refused(await finish(other, back), 401, "login_failed");
    const forged = new Browser(rig);
    await begin(forged);
    forged.cookies.set("cyberbackup.oidc", `${forged.cookies.get("cyberbackup.oidc")!.split(".")[0]}.x`);
    refused(await finish(forged, theirs), 401, "token_expired");
    assert.equal(provider.asked.length, before, "nothing was asked of the provider for these");
    browser.origin = "https://evil.example";
    refused(await finish(browser, back), 403, "forbidden");
    const late = new Browser(rig);
    const stale = await begin(late);
    clock.advance(TICKET_LIVES_MS);
    refused(await finish(late, stale), 401, "token_expired");
    const spent = new Browser(rig);
    const used = await begin(spent);
    const cookie = spent.cookies.get("cyberbackup.oidc")!;
    bodyOf(await finish(spent, used));
    spent.cookies.set("cyberbackup.oidc", cookie);
    refused(await finish(spent, used), 401, "login_failed");
    clock.advance(FORGOTTEN_MS);
    const mixed = new Browser(rig);
    refused(await finish(mixed, await begin(mixed), { iss: "https://other.example" }), 401, "login_failed");
    refused(await mixed.call("POST", "/api/auth/oidc/begin", { provider: "none" }), 404, "not_found");
  });

  test("that is guessed at costs time", async () => {
    const browser = new Browser(rig);
    for (let n = 0; n < ATTEMPTS.provider.address.free; n++) {
      const back = await begin(browser);
      refused(await finish(browser, back, { code: `guess-${n}` }), 401, "login_failed");
    }
    refused(await finish(browser, await begin(browser), { code: "one more" }), 429, "too_many_requests");
    clock.advance(FORGOTTEN_MS);
  });

  test("ends with a new password, and the next one finds the account anew", async () => {
    const dora = await addPerson(rig, "dora@example.org", { role: "viewer" });
    const { browser } = await signIn(verified("dora-1", "dora@example.org"));
    const { token } = bodyOf<{ token: string }>(await machine(rig).call("POST", `/api/v4/people/${dora.id}/link`));
    const chosen = await new Browser(rig).call("POST", "/api/v4/setup", { token, password: "another good password" });
    assert.ok(chosen.status < 300, chosen.body.toString());
    assert.equal((await browser.call("GET", "/api/v4/me")).status, 401);
    const again = await signIn(verified("dora-2", "dora@example.org"));
    assert.equal((await me(again.browser)).email, "dora@example.org");
  });
});
