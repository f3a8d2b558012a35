// Accounts from the first start on: who gets in, by what, and what ends it.

import assert from "node:assert/strict";
import { scryptSync } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { until } from "../until.ts";
import {
  addOwner,
  addPerson,
  Browser,
  bodyOf,
  callerAt,
  login,
  machine,
  OWNER,
  PASSWORD,
  placeOf,
  refused,
  setUpFactor,
  withKey,
} from "./people-kit.ts";
import { startRig } from "./rig.ts";

type Me = { id: string; role: string; via: string; hasFactor: boolean; freshUntil: number | null };

describe("the first start", () => {
  test("gives a link that makes one owner, once", async () => {
    await using rig = await startRig();
    const token = /^\/#\/setup\/([\w-]{43})$/.exec(rig.server.setupPath()!)![1]!;
    const anyone = callerAt(placeOf(rig));
    const asked = { token, email: OWNER, name: "Olga", password: PASSWORD };
    refused(
      await anyone.call("POST", "/api/v4/setup", { ...asked, token: `x${token.slice(1)}` }),
      403,
      "setup_invalid",
    );
    refused(await anyone.call("POST", "/api/v4/setup", { ...asked, token: undefined }), 403, "setup_invalid");
    refused(await anyone.call("POST", "/api/v4/setup", { ...asked, password: "short" }), 400, "password_unfit");
    const made = bodyOf<{ role: string; email: string }>(await anyone.call("POST", "/api/v4/setup", asked));
    assert.deepEqual([made.role, made.email], ["owner", OWNER]);
    refused(await anyone.call("POST", "/api/v4/setup", { ...asked, email: "b@example.org" }), 403, "setup_invalid");
    assert.equal(rig.server.setupPath(), undefined);
  });

  test("of two who use the link at one time, makes one owner", async () => {
    await using rig = await startRig();
    const token = rig.server.setupPath()!.slice(-43);
    const replies = await Promise.all(
      ["a", "b", "c", "d"].map((name) =>
        callerAt(placeOf(rig)).call("POST", "/api/v4/setup", {
          token,
          email: `${name}@example.org`,
          password: PASSWORD,
        }),
      ),
    );
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 403, 403, 403]);
  });

  test("keeps the link's token and its secret out of what others can read", async () => {
    await using rig = await startRig();
    const token = rig.server.setupPath()!.slice(-43);
    await addOwner(rig);
    const key = await login(rig, OWNER);
    const secretFile = join(rig.data, "auth-secret");
    assert.equal(statSync(secretFile).mode & 0o777, 0o600);
    const files = ["server.db", "server.db-wal"].map((name) => readFileSync(join(rig.data, name), "latin1")).join("");
    for (const secret of [token, key, key.slice(10), PASSWORD, readFileSync(secretFile, "utf8").trim()]) {
      assert.ok(!files.includes(secret));
    }
    assert.ok(files.includes(OWNER), "the check looks at the right files");
  });

  test("this machine's socket makes the first owner without a link, and no second one", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const again = { email: "b@example.org", password: PASSWORD };
    refused(await machine(rig).call("POST", "/api/v4/setup", again), 403, "setup_invalid");
  });
});

describe("signing in with the page", () => {
  test("gives cookies that scripts and other sites never get, and no token", async () => {
    await using rig = await startRig({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
    await addOwner(rig);
    const browser = new Browser(rig);
    const reply = await browser.call("POST", "/api/auth/sign-in/email", { email: OWNER, password: PASSWORD });
    assert.deepEqual(bodyOf(reply), { needsFactor: false });
    const [cookie] = reply.headers["set-cookie"]!;
    for (const attribute of [
      /^__Secure-cyberbackup\.session_token=/,
      /; HttpOnly/i,
      /; Secure/i,
      /; SameSite=Strict/i,
    ]) {
      assert.match(cookie!, attribute);
    }
    assert.equal(bodyOf<Me>(await browser.call("GET", "/api/v4/me")).role, "owner");
  });

  test("over plain HTTP on this machine works without Secure, and keeps the rest", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const browser = new Browser(rig);
    const reply = await browser.call("POST", "/api/auth/sign-in/email", { email: OWNER, password: PASSWORD });
    const [cookie] = reply.headers["set-cookie"]!;
    assert.doesNotMatch(cookie!, /Secure/i);
    assert.match(cookie!, /; HttpOnly.*; SameSite=Strict|; SameSite=Strict.*; HttpOnly/i);
  });

  test("answers a wrong password and an unknown account alike", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const bodies = [];
    for (const email of [OWNER, "nobody@example.org"]) {
      const reply = await new Browser(rig).call("POST", "/api/auth/sign-in/email", {
        email,
        password: "wrong wrong wrong",
      });
      refused(reply, 401, "login_failed");
      bodies.push({ ...JSON.parse(reply.body.toString()), requestId: "" });
    }
    assert.deepEqual(bodies[0], bodies[1]);
  });

  test("keeps of a password what scrypt makes of it, at its full cost", async () => {
    await using rig = await startRig({ passwordHashing: undefined });
    await addOwner(rig);
    const { database } = rig.server.kit;
    const kept = database.all<{ password: string }>("SELECT password FROM person_account").map((row) => row.password);
    const [salt, key] = kept[0]!.split(":");
    const made = scryptSync(PASSWORD, salt!, 64, { N: 2 ** 14, r: 16, p: 1, maxmem: 2 ** 26 });
    assert.deepEqual([kept.length, made.toString("hex")], [1, key]);
    await new Browser(rig).signIn(OWNER);
    const wrong = { email: OWNER, password: "wrong wrong wrong" };
    refused(await new Browser(rig).call("POST", "/api/auth/sign-in/email", wrong), 401, "login_failed");
  });

  test("takes no orders from pages of other sites", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const browser = new Browser(rig);
    await browser.signIn(OWNER);
    const own = browser.origin;
    for (const origin of ["https://evil.example", "null", `${own}.evil.example`]) {
      browser.origin = origin;
      refused(
        await browser.call("POST", "/api/auth/sign-in/email", { email: OWNER, password: PASSWORD }),
        403,
        "forbidden",
      );
      refused(await browser.call("POST", "/api/auth/sign-out"), 403, "forbidden");
      refused(await browser.call("DELETE", "/api/v4/sign-ins"), 403, "forbidden");
      refused(await browser.call("POST", "/api/v4/people", { email: "x@example.org", name: "x" }), 403, "forbidden");
    }
    browser.origin = own;
    bodyOf(await browser.call("GET", "/api/v4/me"));
  });

  test("ends by signing out, by signing out elsewhere, by a new password, by its time", async () => {
    await using rig = await startRig();
    const { id } = await addOwner(rig);
    const [here, there] = [new Browser(rig), new Browser(rig)];
    const isIn = async (browser: Browser) => (await browser.call("GET", "/api/v4/me")).status === 200;
    for (const browser of [here, there]) await browser.signIn(OWNER);

    const list = bodyOf<{ signIns: { id: string; isThis: boolean }[] }>(await here.call("GET", "/api/v4/sign-ins"));
    assert.deepEqual(list.signIns.map(({ isThis }) => isThis).sort(), [false, true]);
    bodyOf(await here.call("DELETE", "/api/v4/sign-ins?others=true"), 204);
    assert.deepEqual([await isIn(here), await isIn(there)], [true, false]);

    await there.signIn(OWNER);
    const change = { currentPassword: PASSWORD, newPassword: "another good password" };
    bodyOf(await here.call("POST", "/api/auth/change-password", change), 204);
    assert.deepEqual([await isIn(here), await isIn(there)], [true, false]);

    const stolen = new Browser(rig);
    for (const [name, value] of here.cookies) stolen.cookies.set(name, value);
    bodyOf(await here.call("POST", "/api/auth/sign-out"), 204);
    assert.deepEqual([await isIn(here), await isIn(stolen)], [false, false]);

    await here.signIn(OWNER, "another good password");
    const past = new Date(Date.now() - 1000).toISOString();
    rig.server.kit.database.run("UPDATE person_session SET expiresAt = ? WHERE userId = ?", past, id);
    assert.equal(await isIn(here), false);
  });

  test("does not take a cookie that the server has not signed", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const browser = new Browser(rig);
    await browser.signIn(OWNER);
    const row = rig.server.kit.database.get<{ token: string }>("SELECT token FROM person_session")!;
    const [name, good] = [...browser.cookies][0]!;
    for (const value of [row.token, `${row.token}.`, `${row.token}.${"A".repeat(44)}`, good.slice(0, -8)]) {
      browser.cookies.set(name, value);
      refused(await browser.call("GET", "/api/v4/me"), 401, "login_failed");
    }
  });
});

describe("a second factor", () => {
  test("is asked at sign-in, takes each code once, and is fresh afterwards", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const browser = new Browser(rig);
    await browser.signIn(OWNER);
    const { code } = await setUpFactor(browser);
    const me = bodyOf<Me>(await browser.call("GET", "/api/v4/me"));
    assert.ok(me.hasFactor && me.freshUntil! > Date.now());

    const other = new Browser(rig);
    assert.deepEqual(await other.signIn(OWNER), { needsFactor: true });
    refused(await other.call("GET", "/api/v4/me"), 401, "login_failed");
    const verify = (value: string) => other.call("POST", "/api/auth/two-factor/verify-totp", { code: value });
    refused(await verify("000000"), 403, "factor_wrong");
    refused(await verify(await code(-1)), 403, "factor_wrong");
    bodyOf(await verify(await code(0)), 204);
    assert.equal(bodyOf<Me>(await other.call("GET", "/api/v4/me")).role, "owner");
  });

  test("has recovery codes, each good once", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const browser = new Browser(rig);
    await browser.signIn(OWNER);
    const { recoveryCodes } = await setUpFactor(browser);
    assert.equal(new Set(recoveryCodes).size, 10);
    const tryCode = async (value: string) => {
      const other = new Browser(rig);
      await other.signIn(OWNER);
      return other.call("POST", "/api/auth/two-factor/verify-backup-code", { code: value });
    };
    bodyOf(await tryCode(recoveryCodes[0]!), 204);
    refused(await tryCode(recoveryCodes[0]!), 403, "factor_wrong");
    bodyOf(await tryCode(recoveryCodes[1]!), 204);
  });

  test("must be fresh for guarded routes, by page and by key", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const victim = await addPerson(rig, "eve@example.org");
    const browser = new Browser(rig);
    await browser.signIn(OWNER);
    const { code } = await setUpFactor(browser);
    const key = await login(rig, OWNER, { code: await code(0) });
    const edit = (caller: Browser | ReturnType<typeof withKey>) =>
      caller.call("PATCH", `/api/v4/people/${victim.id}`, { name: "Eve" });

    bodyOf(await edit(browser));
    rig.server.kit.database.run("UPDATE person_session SET factorAt = factorAt - ?", 5 * 60_000 + 1);
    refused(await edit(browser), 403, "second_factor_needed");
    refused(await edit(withKey(rig, key)), 403, "second_factor_needed");
    refused(
      await browser.call("POST", "/api/auth/two-factor/disable", { password: PASSWORD }),
      403,
      "second_factor_needed",
    );

    refused(
      await withKey(rig, key).call("POST", "/api/v4/second-factor", { code: await code(0) }),
      403,
      "factor_wrong",
    );
    bodyOf(await withKey(rig, key).call("POST", "/api/v4/second-factor", { code: await code(1) }));
    bodyOf(await edit(withKey(rig, key)));
    refused(await edit(browser), 403, "second_factor_needed");
  });

  test("that is lost is taken off by an owner, who thereby signs the person out", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const { id } = await addPerson(rig, "vera@example.org", { role: "viewer" });
    const vera = new Browser(rig);
    await vera.signIn("vera@example.org");
    await setUpFactor(vera);
    bodyOf(await machine(rig).call("DELETE", `/api/v4/people/${id}/second-factor`), 204);
    refused(await vera.call("GET", "/api/v4/me"), 401, "login_failed");
    assert.deepEqual(await vera.signIn("vera@example.org"), { needsFactor: false });
  });
});

describe("people", () => {
  test("are invited by a link, choose a password, and are removed with all that is theirs", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const owner = withKey(rig, await login(rig, OWNER));
    const made = bodyOf<{ person: { id: string; isActive: boolean }; link: { token: string } }>(
      await owner.call("POST", "/api/v4/people", { email: "Vera@Example.org", name: "Vera", role: "viewer" }),
      201,
    );
    assert.equal(made.person.isActive, false);
    refused(await owner.call("POST", "/api/v4/people", { email: "vera@example.org", name: "V" }), 409, "person_exists");
    const anyone = callerAt(placeOf(rig));
    bodyOf(await anyone.call("POST", "/api/v4/setup", { token: made.link.token, password: PASSWORD }));
    const vera = withKey(rig, await login(rig, "vera@example.org"));
    assert.equal(bodyOf<Me>(await vera.call("GET", "/api/v4/me")).role, "viewer");
    refused(await vera.call("GET", "/api/v4/people"), 403, "forbidden");
    bodyOf(await owner.call("DELETE", `/api/v4/people/${made.person.id}`), 204);
    refused(await vera.call("GET", "/api/v4/me"), 401, "login_failed");
    const left = rig.server.kit.database.get<{ n: number }>(
      "SELECT count(*) AS n FROM person_key WHERE referenceId = ?",
      made.person.id,
    );
    assert.equal(left!.n, 0);
  });

  test("the last owner is neither removed nor demoted, by nobody", async () => {
    await using rig = await startRig();
    const { id } = await addOwner(rig);
    const local = machine(rig);
    bodyOf(await local.call("POST", "/api/v4/people", { email: "invited@example.org", name: "I", role: "owner" }), 201);
    refused(await local.call("DELETE", `/api/v4/people/${id}`), 409, "last_owner");
    refused(await local.call("PATCH", `/api/v4/people/${id}`, { role: "operator" }), 409, "last_owner");
    refused(await local.call("PATCH", `/api/v4/people/${id}`, { role: null }), 409, "last_owner");
    await addPerson(rig, "second@example.org", { role: "owner" });
    bodyOf(await local.call("PATCH", `/api/v4/people/${id}`, { role: "operator" }));
  });

  test("a new link for a password ends the sign-ins and the links before", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const { id } = await addPerson(rig, "vera@example.org", { role: "viewer" });
    const vera = new Browser(rig);
    await vera.signIn("vera@example.org");
    const link = async () =>
      bodyOf<{ token: string }>(await machine(rig).call("POST", `/api/v4/people/${id}/link`)).token;
    const [first, second] = [await link(), await link()];
    const use = (token: string) =>
      callerAt(placeOf(rig)).call("POST", "/api/v4/setup", { token, password: "a brand new password" });
    refused(await use(first), 403, "setup_invalid");
    bodyOf(await use(second));
    refused(await vera.call("GET", "/api/v4/me"), 401, "login_failed");
    assert.deepEqual(await vera.signIn("vera@example.org", "a brand new password"), { needsFactor: false });
  });

  test("come in pages", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    for (let n = 0; n < 4; n++) {
      bodyOf(await machine(rig).call("POST", "/api/v4/people", { email: `p${n}@example.org`, name: `P${n}` }), 201);
    }
    const seen: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const path: string = `/api/v4/people?limit=2${next === "" ? "" : `&after=${next}`}`;
      const page = bodyOf<{ items: { email: string }[]; next: string | null }>(await machine(rig).call("GET", path));
      seen.push(...page.items.map(({ email }) => email));
      next = page.next;
    }
    assert.deepEqual(seen, [OWNER, ...[0, 1, 2, 3].map((n) => `p${n}@example.org`)]);
  });
});

describe("what a person listens to", () => {
  for (const [what, method, path] of [
    ["a key that ends", "DELETE", (key: string, _: string) => `/api/v4/api-keys/${key}`],
    ["an account that is removed", "DELETE", (_: string, person: string) => `/api/v4/people/${person}`],
    ["a role that is taken away", "PATCH", (_: string, person: string) => `/api/v4/people/${person}`],
  ] as const) {
    test(`ends with ${what}`, async () => {
      await using rig = await startRig();
      await addOwner(rig);
      const { id } = await addPerson(rig, "vera@example.org", { role: "viewer" });
      const vera = withKey(rig, await login(rig, "vera@example.org"));
      const { keys } = bodyOf<{ keys: { id: string }[] }>(await vera.call("GET", "/api/v4/api-keys"));
      const events = vera.call("GET", "/api/v4/events").catch(() => "cut off");
      const { running } = rig.server.kit;
      await until("the stream is open", () => running.size > 0);
      const body = method === "PATCH" ? { role: null } : undefined;
      const { status } = await machine(rig).call(method, path(keys[0]!.id, id), body);
      assert.ok(status < 300, String(status));
      await events;
      assert.equal(running.size, 0);
    });
  }
});

test("the library that keeps accounts reports to nobody, whatever the environment says", async () => {
  let asked = 0;
  const collector = createServer((_, response) => {
    asked++;
    response.end();
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const { port } = collector.address() as AddressInfo;
  process.env.BETTER_AUTH_TELEMETRY = "1";
  process.env.BETTER_AUTH_TELEMETRY_ENDPOINT = `http://127.0.0.1:${port}/`;
  process.env.NODE_ENV = "production";
  try {
    await using rig = await startRig();
    await addOwner(rig);
    await new Browser(rig).signIn(OWNER);
    assert.equal(process.env.BETTER_AUTH_TELEMETRY_ENDPOINT, undefined);
  } finally {
    delete process.env.NODE_ENV;
    await new Promise((resolve) => collector.close(resolve));
  }
  assert.equal(asked, 0);
});

describe("API keys", () => {
  test("do no more than their maker, their role, their vaults and their time", async () => {
    await using rig = await startRig();
    const { id } = await addOwner(rig);
    const owner = new Browser(rig);
    await owner.signIn(OWNER);
    const vault = "00112233445566778899aabbccddeeff";
    const make = async (body: object, status = 201) =>
      bodyOf<{ key: string; id: string }>(await owner.call("POST", "/api/v4/api-keys", { name: "k", ...body }), status);
    const viewer = withKey(rig, (await make({ role: "viewer" })).key);
    refused(await viewer.call("GET", "/api/v4/people"), 403, "forbidden");
    refused(await viewer.call("POST", "/api/v4/api-keys", { name: "more", role: "owner" }), 403, "forbidden");
    const scoped = withKey(rig, (await make({ role: "owner", vaults: [vault] })).key);
    refused(await scoped.call("GET", "/api/v4/people"), 403, "forbidden");
    refused(await scoped.call("POST", "/api/v4/api-keys", { name: "more", role: "owner" }), 403, "forbidden");
    assert.deepEqual(bodyOf<{ grants: unknown }>(await scoped.call("GET", "/api/v4/me")).grants, [
      { vault, role: "owner" },
    ]);

    const short = await make({ role: "owner", days: 1 });
    refused(
      await withKey(rig, short.key).call("POST", "/api/v4/api-keys", { name: "x", role: "viewer" }),
      403,
      "forbidden",
    );
    rig.server.kit.database.run(
      "UPDATE person_key SET expiresAt = ? WHERE id = ?",
      new Date(0).toISOString(),
      short.id,
    );
    refused(await withKey(rig, short.key).call("GET", "/api/v4/me"), 401, "login_failed");

    await addPerson(rig, "second@example.org", { role: "owner" });
    bodyOf(await machine(rig).call("PATCH", `/api/v4/people/${id}`, { role: "viewer" }));
    refused(await owner.call("GET", "/api/v4/people"), 403, "forbidden");
  });

  test("are listed without themselves, and end at once", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const key = await login(rig, OWNER);
    const caller = withKey(rig, key);
    const reply = await caller.call("GET", "/api/v4/api-keys");
    const { keys } = bodyOf<{ keys: { id: string; start: string }[] }>(reply);
    assert.ok(key.startsWith(keys[0]!.start) && !reply.body.toString().includes(key.slice(10)));
    bodyOf(await caller.call("DELETE", `/api/v4/api-keys/${keys[0]!.id}`), 204);
    refused(await caller.call("GET", "/api/v4/me"), 401, "login_failed");
  });

  test("that are right are never held up by wrong ones from the same place, which are slowed down", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const right = withKey(rig, await login(rig, OWNER));
    const wrong = withKey(rig, `cb_${"A".repeat(64)}`);
    const statuses: number[] = [];
    for (let n = 0; n < 260; n++) statuses.push((await wrong.call("GET", "/api/v4/me")).status);
    assert.deepEqual([statuses[0], statuses.at(-1)], [401, 429]);
    bodyOf(await right.call("GET", "/api/v4/me"));
  });

  test("of others are nobody's business but an owner's", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const { id } = await addPerson(rig, "vera@example.org", { role: "viewer" });
    await addPerson(rig, "otto@example.org", { role: "operator" });
    const vera = withKey(rig, await login(rig, "vera@example.org"));
    const otto = withKey(rig, await login(rig, "otto@example.org"));
    const { keys } = bodyOf<{ keys: { id: string }[] }>(await vera.call("GET", "/api/v4/api-keys"));
    refused(await otto.call("GET", `/api/v4/api-keys?person=${id}`), 404, "not_found");
    refused(await otto.call("DELETE", `/api/v4/api-keys/${keys[0]!.id}`), 404, "not_found");
    refused(await otto.call("DELETE", `/api/v4/sign-ins?person=${id}`), 404, "not_found");
    bodyOf(await machine(rig).call("DELETE", `/api/v4/api-keys/${keys[0]!.id}`), 204);
  });

  test("by login ask for the second factor where there is one", async () => {
    await using rig = await startRig();
    await addOwner(rig);
    const browser = new Browser(rig);
    await browser.signIn(OWNER);
    const { code } = await setUpFactor(browser);
    const ask = (more: object) =>
      callerAt(placeOf(rig)).call("POST", "/api/v4/login/person", {
        email: OWNER,
        password: PASSWORD,
        name: "pc",
        ...more,
      });
    refused(await ask({}), 403, "second_factor_needed");
    refused(await ask({ code: "000000" }), 401, "login_failed");
    refused(await ask({ password: "wrong wrong", code: await code(0) }), 401, "login_failed");
    bodyOf(await ask({ code: await code(0) }), 201);
  });
});
