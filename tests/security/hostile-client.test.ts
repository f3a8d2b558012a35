// A client that means harm: whatever it sends, to whichever route and as whomever it can be, it is refused cleanly. No answer is a
// 5xx, nothing changes, nothing is left in memory, and everybody else is served meanwhile.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { LIMITS } from "../../src/core/config-schema.ts";
import { JOB_KINDS } from "../../src/wire/v4/api/job-routes.ts";
import { MEDIA } from "../../src/wire/v4/api/media.ts";
import type { Route } from "../../src/wire/v4/api/route.ts";
import { logIn, makeVault, openSession, type ServedWorld } from "../server/device.ts";
import {
  addOwner,
  addPerson,
  bodyOf,
  callerAt,
  login,
  machine,
  OWNER,
  PASSWORD,
  placeOf,
  refused,
} from "../server/people-kit.ts";
import { ask, type Rig, startRig } from "../server/rig.ts";
import { allRoutes } from "../server/route-tables.ts";
import { closeOf } from "../sockets.ts";
import { until } from "../until.ts";
import { testClock } from "../vault/kit.ts";
import { type BadRequest, badRequests, type PathValues } from "./bad-requests.ts";

const routes = await allRoutes();

let rig: Rig;
let home: ServedWorld;
let other: ServedWorld;
let values: PathValues;
const tokens = new Map<string, string | undefined>();
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

before(async () => {
  rig = await startRig({ settings: { listen: { host: "127.0.0.1", port: 0 } } });
  await stopSchedules();
  home = await makeVault(rig, "home", 1);
  other = await makeVault(rig, "other", 2);
  await addOwner(rig);
  const { id } = await addPerson(rig, "vera@example.org", { role: "viewer" });
  const device = await logIn(home, home.device);
  tokens.set("nobody", undefined);
  tokens.set("device", device);
  tokens.set("other device", await logIn(other, other.device));
  tokens.set("owner", await login(rig, OWNER));
  tokens.set("viewer", await login(rig, "vera@example.org"));
  const session = await openSession(home, device);
  const plan = "0".repeat(32);
  values = { vault: "home", session, run: session, plan, id, device: home.device.device, n: "0" };
});
after(async () => {
  agent.destroy();
  await rig[Symbol.asyncDispose]();
});

/** The server's own work would change what is compared. */
async function stopSchedules(): Promise<void> {
  const headers = { "content-type": MEDIA.json };
  for (const kind of JOB_KINDS) {
    const body = JSON.stringify({ kind, vault: null, cron: "0 0 * * *", timeZone: "UTC", isEnabled: false });
    const { socketPath } = rig.server;
    const { status } = await ask({ socketPath }, "/api/v4/schedules", { method: "PUT", headers, body });
    assert.equal(status, 200);
  }
}

type Answered = { status: number; type: string; body: string };

function send(bad: BadRequest, token: string | undefined): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string | string[]> = { ...bad.headers };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (bad.body !== undefined && !bad.isChunked) headers["content-length"] = String(bad.body.length);
    if (bad.isChunked) headers["transfer-encoding"] = "chunked";
    const sent = httpRequest(
      { host: "127.0.0.1", port: rig.server.httpPort!, agent, method: bad.method, path: bad.path, headers },
      (response) => {
        const slices: Buffer[] = [];
        response.on("data", (slice: Buffer) => slices.push(slice));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode!,
            type: response.headers["content-type"] ?? "",
            body: Buffer.concat(slices).toString(),
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(bad.body);
  });
}

/** A server may close a connection before all of a body came; then the request is simply sent again on another one. */
async function answerTo(bad: BadRequest, token: string | undefined): Promise<Answered> {
  for (let tries = 0; ; tries++) {
    try {
      return await send(bad, token);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (tries >= 20 || (code !== "ECONNRESET" && code !== "EPIPE")) throw error;
    }
  }
}

/** Who gets furthest in this route sends all of them, others send some. */
function attacksOn({ who }: Route, bad: BadRequest[]): [attacker: string, requests: BadRequest[]][] {
  const some = bad.filter((_, n) => n % 8 === 0);
  return [
    [who.includes("device") ? "device" : "owner", bad],
    ["nobody", some],
    ["other device", some],
  ];
}

/** All that must not change: rows of the server, and files of the vaults. Times of use may. */
function stateOf(): Record<string, string> {
  const { database } = rig.server.kit;
  const state: Record<string, string> = {};
  const changing = new Set(["audit", "person_session", "person_verification", "sqlite_sequence"]);
  const tables = database.all<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
  for (const { name } of tables.filter((table) => !changing.has(table.name))) {
    const rows = database.all(`SELECT * FROM "${name}"`).map((row) => {
      const { lastRequest: _, lastSeenAt: __, lastAddress: ___, updatedAt: ____, ...rest } = row;
      return JSON.stringify(rest, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));
    });
    state[`table ${name}`] = rows.sort().join("\n");
  }
  const folder = join(rig.data, "vaults");
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(folder, file);
    if (/index\.db/.test(file) || !statSync(path).isFile()) continue;
    state[file] = createHash("sha256").update(readFileSync(path)).digest("hex");
  }
  for (const served of rig.server.kit.vaults.list()) {
    state[`sessions of ${served.name}`] = JSON.stringify(
      served.vault.context.database.all("SELECT session FROM leases ORDER BY session").map((row) => ({ ...row })),
      (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value),
    );
  }
  return state;
}

async function collected(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("a hundred bad requests to each route", () => {
  for (const { name, route } of routes) {
    test(`${name}: each is refused cleanly, and nothing changes`, async () => {
      const before = stateOf();
      const bad = badRequests(route, values);
      assert.ok(bad.length >= 100, `${bad.length} only`);
      const wrong: string[] = [];
      for (const [attacker, requests] of attacksOn(route, bad)) {
        const answers = await Promise.all(requests.map((request) => answerTo(request, tokens.get(attacker))));
        answers.forEach(({ status, type, body }, i) => {
          const { what, method, path } = requests[i]!;
          const isClean = status >= 400 && status < 500;
          const isTold = method === "HEAD" || type === "application/problem+json";
          if (!isClean || !isTold)
            wrong.push(`${attacker}: ${what} (${method} ${path.slice(0, 80)}): ${status} ${body.slice(0, 200)}`);
        });
      }
      assert.deepEqual(wrong, []);
      assert.deepEqual(stateOf(), before);
    });
  }

  test("leave no memory behind", async () => {
    const attack = async () => {
      for (const { route } of routes) {
        const bad = badRequests(route, values).filter((_, n) => n % 4 === 0);
        await Promise.all(bad.map((request) => answerTo(request, undefined)));
      }
    };
    await attack();
    const before = await collected();
    await attack();
    const grown = (await collected()) - before;
    assert.ok(grown < 8 * 2 ** 20, `${grown} bytes more`);
  });

  test("are told apart from good ones: a request that is right is answered", async () => {
    const reply = await callerAt(placeOf(rig), { authorization: `Bearer ${tokens.get("owner")}` }).call(
      "GET",
      "/api/v4/people",
    );
    assert.equal(bodyOf<{ items: unknown[] }>(reply).items.length, 2);
  });
});

describe("bytes that are no proper HTTP", () => {
  const requests: [string, string][] = [
    ["headers over their limit", `GET /health/live HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(20_000)}\r\n\r\n`],
    ["a thousand headers", `GET /health/live HTTP/1.1\r\nHost: x\r\n${"A: b\r\n".repeat(5000)}\r\n`],
    ["an address over the limit", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ["two lengths", "POST /api/v4/setup HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"],
    [
      "a length and chunks",
      "POST /api/v4/setup HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["chunks of a strange coding", "POST /api/v4/setup HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n"],
    ["a length that is none", "POST /api/v4/setup HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"],
    [
      "a length beyond numbers",
      "POST /api/v4/setup HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ],
    [
      "a chunk beyond numbers",
      "POST /api/v4/setup HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    ],
    ["no host", "GET /health/live HTTP/1.1\r\n\r\n"],
    ["a line folded", "GET /health/live HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"],
    ["a bare line feed", "GET /health/live HTTP/1.1\nHost: x\n\n"],
    ["a zero in a header", "GET /health/live HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n"],
    ["a method that is none", "G\u0000T / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a version that is none", "GET / HTTP/9.9\r\nHost: x\r\n\r\n"],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["TLS on the plain door", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["a space before the colon", "GET /health/live HTTP/1.1\r\nHost : x\r\n\r\n"],
  ];
  for (const [what, bytes] of requests) {
    test(`${what}: refused, and the connection is closed`, async () => {
      const said = await exchange(bytes);
      assert.match(said, /^HTTP\/1\.1 4\d\d /, said.slice(0, 200));
    });
  }

  test("nothing at all behind a request leaves the next one whole", async () => {
    const said = await exchange("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert.match(said, /^HTTP\/1\.1 200 /);
  });

  /** What the server says until it closes. A reset may overtake its words; then it is asked once more. */
  async function exchange(bytes: string): Promise<string> {
    for (let tries = 0; ; tries++) {
      const socket = connect(rig.server.httpPort!, "127.0.0.1");
      let said = "";
      socket.on("data", (slice) => {
        said += slice.toString("latin1");
      });
      const closed = closeOf(socket);
      socket.end(Buffer.from(bytes, "latin1"));
      await closed;
      if (said !== "" || socket.errored === null || tries === 20) return said;
    }
  }
});

describe("guessing passwords from many connections at one time", () => {
  test("is slowed down, serves everybody else, and keeps nobody out for long", async () => {
    const clock = testClock();
    await using own = await startRig({ clock });
    await addOwner(own);
    const guess = (n: number) =>
      callerAt(placeOf(own)).call("POST", "/api/v4/login/person", {
        email: OWNER,
        password: `guess ${n} guess`,
        name: "x",
      });
    const guesses = Promise.all(Array.from({ length: 300 }, (_, n) => guess(n)));
    bodyOf(await callerAt(placeOf(own)).call("GET", "/health/live"));
    const statuses = (await guesses).map(({ status }) => status);
    const judged = statuses.filter((status) => status === 401).length;
    assert.ok(judged <= 6, `${judged} guesses were judged`);
    assert.equal(judged + statuses.filter((status) => status === 429).length, 300);
    let waiting = await guess(301);
    for (let n = 0; waiting.status === 401 && n < 10; n++) waiting = await guess(302);
    refused(waiting, 429, "too_many_requests");
    assert.match(String(waiting.headers["retry-after"]), /^[1-9]\d*$/);

    const right = () =>
      callerAt(placeOf(own)).call("POST", "/api/v4/login/person", { email: OWNER, password: PASSWORD, name: "x" });
    clock.advance(60_000);
    bodyOf(await right(), 201);
    const again = Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        machine(own).call("POST", "/api/v4/login/person", { email: OWNER, password: `more ${n} more`, name: "x" }),
      ),
    );
    bodyOf(await right(), 201);
    await again;
  });

  test("of set-up links is slowed down as well", async () => {
    const clock = testClock();
    await using own = await startRig({ clock });
    const guess = (n: number) =>
      callerAt(placeOf(own)).call("POST", "/api/v4/setup", {
        token: String(n).padStart(43, "A"),
        email: OWNER,
        password: PASSWORD,
      });
    const statuses: number[] = [];
    for (let n = 0; n < 40; n++) statuses.push((await guess(n)).status);
    assert.deepEqual([statuses[0], statuses.at(-1)], [403, 429]);
  });
});

describe("connections that say little, slowly", () => {
  test("are closed in time, and hold nobody else up", async () => {
    const { httpPort } = rig.server;
    const before = rig.server.kit.connections();
    const sockets: Socket[] = [];
    const closed: Promise<void>[] = [];
    for (let n = 0; n < 100; n++) {
      const socket = connect(httpPort!, "127.0.0.1");
      closed.push(closeOf(socket));
      socket.write(n % 2 === 0 ? "GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: " : "");
      sockets.push(socket);
    }
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    const startMs = performance.now();
    const drip = setInterval(() => {
      for (const socket of sockets.filter((_, n) => n % 2 === 0)) if (socket.writable) socket.write("a");
    }, 500);
    try {
      bodyOf(await callerAt(placeOf(rig)).call("GET", "/health/live"));
      assert.ok(rig.server.kit.connections() >= 100);
      for (const socket of sockets) socket.resume();
      await Promise.all(closed.filter((_, n) => n % 2 === 0));
    } finally {
      clearInterval(drip);
      for (const socket of sockets) socket.destroy();
    }
    assert.ok(performance.now() - startMs < 3 * LIMITS.serverHeadersMs.value);
    await until("all are gone", () => rig.server.kit.connections() <= before);
  });
});
