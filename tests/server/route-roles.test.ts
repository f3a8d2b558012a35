// Every route of the server, called by everybody there is: each call is admitted or refused exactly as the route's row says, and no
// handler is reached by a call that is refused. Who may do what is written down here a second time, on purpose, and in other words.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AppError } from "../../src/core/errors.ts";
import { PARTS } from "../../src/server/app.ts";
import type { Mounted } from "../../src/server/http/call.ts";
import type { PartModule } from "../../src/server/kit.ts";
import type { Route } from "../../src/wire/v4/api/route.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { deviceAdd, newDevice, signed } from "../vault/kit.ts";
import { call, doorsOf, logIn, makeVault, type ServedWorld, send, toWire } from "./device.ts";
import {
  addOwner,
  addPerson,
  Browser,
  bodyOf,
  type Caller,
  callerAt,
  login,
  machine,
  OWNER,
  placeOf,
  setUpFactor,
  withKey,
} from "./people-kit.ts";
import { type Reply, type Rig, startRig } from "./rig.ts";
import { allRoutes } from "./route-tables.ts";

/** While true, routes want no body and no query, and say that they were reached in place of working. */
let isSpying = false;
const reached: string[] = [];

const SPIED: readonly PartModule[] = PARTS.map((module) => ({
  ...module,
  async make(kit) {
    const part = await module.make(kit);
    return { ...part, routes: (part.routes ?? []).map(spied) };
  },
}));

function spied({ name, route, handle }: Mounted): Mounted {
  const watched: Route = {
    ...route,
    get body() {
      return isSpying ? undefined : route.body;
    },
    get query() {
      return isSpying ? undefined : route.query;
    },
  } as Route;
  return {
    name,
    route: watched,
    handle(called) {
      if (!isSpying) return handle(called);
      reached.push(name);
      throw new AppError("unsupported", { context: { what: name, detail: "spied on" } });
    },
  };
}

type Rank = 0 | 1 | 2 | 3;
const RANK: Readonly<Record<string, Rank>> = { viewer: 1, operator: 2, owner: 3 };

type Somebody = {
  readonly what: string;
  readonly caller: () => Caller;
  /** Turned away before it is asked what they want. */
  readonly isUnknown?: boolean;
  readonly isPerson?: boolean;
  /** The vault of a device: of the two that there are, the one that is called, or the other. */
  readonly device?: "this" | "other";
  readonly onServer?: Rank;
  readonly onVault?: Rank;
  /** Their second factor was given too long ago. */
  readonly isStale?: boolean;
  /** A page of another site that the browser lets send cookies. */
  readonly isForeign?: boolean;
};

/** What must come of it. */
function isAdmitted(route: Route, who: Somebody): boolean {
  if (who.isUnknown) return false;
  if (who.isForeign && route.method !== "GET") return false;
  if (route.who.includes("anyone")) return true;
  const isOfVault = route.path.startsWith("/api/v4/vaults/{vault}");
  if (who.device !== undefined) return route.who.includes("device") && (!isOfVault || who.device === "this");
  if (!who.isPerson) return false;
  const needed = Math.min(
    ...route.who.map((name) => (name === "person" ? 0 : (RANK[name] ?? Number.POSITIVE_INFINITY))),
  );
  const rank = isOfVault ? Math.max(who.onServer ?? 0, who.onVault ?? 0) : (who.onServer ?? 0);
  return rank >= needed && !(route.isGuarded && who.isStale);
}

let rig: Rig;
let home: ServedWorld;
const callers = new Map<string, Caller>();
const routes = await allRoutes();

const person = (what: string, onServer: Rank, onVault: Rank, more: Partial<Somebody> = {}): Somebody => ({
  what,
  caller: () => callers.get(what)!,
  isPerson: true,
  onServer,
  onVault,
  ...more,
});
const stranger = (what: string, more: Partial<Somebody> = {}): Somebody => ({
  what,
  caller: () => callers.get(what)!,
  ...more,
});

const EVERYBODY: readonly Somebody[] = [
  stranger("nobody"),
  stranger("an expired sign-in"),
  stranger("a cookie that nobody signed"),
  stranger("a device of this vault", { device: "this" }),
  stranger("a device of another vault", { device: "other" }),
  stranger("a revoked device", { isUnknown: true }),
  stranger("a made-up token", { isUnknown: true }),
  stranger("a made-up key", { isUnknown: true }),
  stranger("an expired key", { isUnknown: true }),
  stranger("a key of somebody who was removed", { isUnknown: true }),
  person("an account without any role", 0, 0),
  person("a viewer", 1, 0),
  person("an operator", 2, 0),
  person("an owner", 3, 0),
  person("a viewer of this vault", 0, 1),
  person("an operator of this vault", 0, 2),
  person("an owner of this vault", 0, 3),
  person("an owner of another vault", 0, 0),
  person("a viewer who owns this vault", 1, 3),
  person("an operator by page", 2, 0),
  person("an owner by page", 3, 0),
  person("an owner's page on another site", 3, 0, { isForeign: true }),
  person("an owner's key as viewer", 1, 0),
  person("an owner's key for this vault", 0, 3),
  person("an owner's key for another vault", 0, 0),
  person("an owner with a fresh second factor", 3, 0),
  person("an owner with a stale second factor", 3, 0, { isStale: true }),
  person("a key of an owner with a stale second factor", 3, 0, { isStale: true }),
  person("this machine", 3, 0),
];

before(async () => {
  rig = await startRig({ parts: SPIED, settings: { listen: { host: "127.0.0.1", port: 0 } } });
  home = await makeVault(rig, "home", 1);
  const other = await makeVault(rig, "other", 2);
  await addOwner(rig);
  const set = (what: string, caller: Caller) => callers.set(what, caller);
  const bearer = (token: string): Caller => callerAt(placeOf(rig), { authorization: `Bearer ${token}` });

  set("nobody", callerAt(placeOf(rig)));
  set("this machine", machine(rig));
  set("a made-up token", bearer("A".repeat(43)));
  set("a made-up key", bearer(`cb_${"A".repeat(64)}`));
  set("a device of this vault", overTls(await logIn(home, home.device)));
  set("a device of another vault", overTls(await logIn(other, other.device)));
  set("a revoked device", overTls(await revokedDevice()));

  const key = async (what: string, more: Parameters<typeof addPerson>[2]) => {
    const email = `${what.replaceAll(" ", ".")}@example.org`;
    const { id } = await addPerson(rig, email, more);
    const value = await login(rig, email, { role: "owner" });
    set(what, withKey(rig, value));
    return { id, email, value };
  };
  const grant = (role: string, vault = home.vaultId) => ({ grants: [{ vault, role }] });
  const none = { id: "", email: "none@example.org" };
  none.id = (await addPerson(rig, none.email, { role: "viewer" })).id;
  set("an account without any role", withKey(rig, await login(rig, none.email)));
  bodyOf(await machine(rig).call("PATCH", `/api/v4/people/${none.id}`, { role: null }));
  await key("a viewer", { role: "viewer" });
  const operator = await key("an operator", { role: "operator" });
  await key("an owner", { role: "owner" });
  await key("a viewer of this vault", grant("viewer"));
  await key("an operator of this vault", grant("operator"));
  await key("an owner of this vault", grant("owner"));
  await key("an owner of another vault", grant("owner", other.vaultId));
  await key("a viewer who owns this vault", { role: "viewer", ...grant("owner") });
  const removed = await key("a key of somebody who was removed", { role: "owner" });
  bodyOf(await machine(rig).call("DELETE", `/api/v4/people/${removed.id}`), 204);

  const page = async (what: string, email: string) => {
    const browser = new Browser(rig);
    await browser.signIn(email);
    set(what, browser);
    return browser;
  };
  await page("an operator by page", operator.email);
  const owner = await page("an owner by page", OWNER);
  const foreign = await page("an owner's page on another site", OWNER);
  foreign.origin = "https://evil.example";
  const forged = new Browser(rig);
  for (const [name, value] of owner.cookies) forged.cookies.set(name, `${value.slice(0, -6)}AAAAA%3D`);
  set("a cookie that nobody signed", forged);
  const expired = await page("an expired sign-in", operator.email);
  const { database } = rig.server.kit;
  const { id: last } = database.get<{ id: string }>("SELECT id FROM person_session ORDER BY rowid DESC LIMIT 1")!;
  database.run("UPDATE person_session SET expiresAt = ? WHERE id = ?", new Date(0).toISOString(), last);
  assert.ok(expired.cookies.size > 0);

  set("an owner's key as viewer", withKey(rig, await login(rig, OWNER, { role: "viewer" })));
  set("an owner's key for this vault", withKey(rig, await login(rig, OWNER, { vaults: [home.vaultId] })));
  set("an owner's key for another vault", withKey(rig, await login(rig, OWNER, { vaults: [other.vaultId] })));
  const ended = await key("an expired key", { role: "owner" });
  database.run("UPDATE person_key SET expiresAt = ? WHERE referenceId = ?", new Date(0).toISOString(), ended.id);

  const guarded = await key("a key of an owner with a stale second factor", { role: "owner" });
  const fresh = await page("an owner with a fresh second factor", guarded.email);
  const { code } = await setUpFactor(fresh);
  const stale = await page("an owner with a stale second factor", guarded.email);
  bodyOf(await stale.call("POST", "/api/auth/two-factor/verify-totp", { code: await code(0) }), 204);
  const { id: newest } = database.get<{ id: string }>("SELECT id FROM person_session ORDER BY rowid DESC LIMIT 1")!;
  database.run("UPDATE person_session SET factorAt = factorAt - ? WHERE id = ?", 5 * 60_000 + 1000, newest);
  isSpying = true;
});
after(() => rig[Symbol.asyncDispose]());

function overTls(token: string): Caller {
  const headers = { authorization: `Bearer ${token}` };
  return { call: async (method, path) => (await send(home.at, method, path, headers)) satisfies Reply };
}

async function revokedDevice(): Promise<string> {
  const { local } = doorsOf(rig);
  const device = await newDevice();
  const apply = async (statement: Parameters<typeof signed>[2]) => {
    const body = { statement: toWire(await signed(home.vaultId, home.device, statement)), keyslotFile: null };
    await call(local, VAULT_ROUTES.statement, { params: { vault: home.name }, body });
  };
  await apply(deviceAdd(device, "lost laptop"));
  const token = await logIn(home, device);
  await apply({ type: "device-revoke", body: { device: device.device } });
  return token;
}

const VALUES: Readonly<Record<string, string>> = {
  vault: "home",
  n: "0",
  id: "someid",
  invite: "0".repeat(32),
  device: "0".repeat(32),
  run: "0".repeat(32),
  plan: "0".repeat(32),
};

function pathFor({ path }: Route): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    return VALUES[name] ?? "0".repeat(name === "session" || name === "keyslot" ? 32 : 64);
  });
}

describe("each route, to everybody", () => {
  for (const who of EVERYBODY) {
    test(`${who.what} is let to what is theirs, and to nothing else`, async () => {
      const wrong: string[] = [];
      for (const { name, route } of routes) {
        if (name === "openApi") continue;
        reached.length = 0;
        const { status, body } = await who.caller().call(route.method, pathFor(route));
        const expected = isAdmitted(route, who);
        const isReached = reached.length === 1 && reached[0] === name && status === 501;
        const isRefused =
          reached.length === 0 && (status === 401 || status === 403 || (who.isUnknown && status === 429));
        if (expected ? isReached : isRefused) continue;
        const { code } = JSON.parse(body.toString() || "{}") as { code?: string };
        wrong.push(
          `${name}: ${expected ? "admitted" : "refused"} was expected, ${status} ${code} came, reached ${reached}`,
        );
      }
      assert.deepEqual(wrong, []);
    });
  }

  test("is a walk of every kind of caller over every kind of route", () => {
    const counts = EVERYBODY.map((who) => routes.filter(({ route }) => isAdmitted(route, who)).length);
    assert.ok(counts.includes(0) && Math.max(...counts) > 30);
    for (const caller of ["anyone", "device", "person", "viewer", "operator", "owner"] as const) {
      assert.ok(
        routes.some(({ route }) => route.who.includes(caller)),
        caller,
      );
    }
    assert.ok(routes.some(({ route }) => route.isGuarded));
  });
});
