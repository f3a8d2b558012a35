// The transport knows whom it speaks to before it says a word, and never waits for ever.

import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer as createPlain, type RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, before, describe, test } from "node:test";
import type { TlsOptions } from "node:tls";
import { httpsTransport, type TransportOptions } from "../../src/client/http/node-transport.ts";
import { isAppError } from "../../src/core/errors.ts";
import { collect } from "../../src/engine/remote/exchange.ts";
import type { HttpRequest, HttpTransport } from "../../src/engine/remote/transport.ts";
import { type MadeCertificate, makeAuthority, makeLeaf } from "../../src/server/tls/certificates.ts";
import { pseudoRandomBytes } from "../pseudo-random.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const NOW = Date.now();
const DAY_MS = 86_400_000;
const code =
  (expected: string, words = /./) =>
  (error: unknown) =>
    isAppError(error) && error.code === expected && words.test(error.message);
const pinOf = ({ cert }: MadeCertificate) =>
  new Uint8Array(createHash("sha256").update(new X509Certificate(cert).raw).digest());

let authority: MadeCertificate;
let stranger: MadeCertificate;
let leaf: MadeCertificate;
const open: { close(): unknown }[] = [];
let requests = 0;
let answer: RequestListener;

before(async () => {
  [authority, stranger] = [await makeAuthority(NOW), await makeAuthority(NOW)];
  leaf = await makeLeaf(authority, ["localhost", "127.0.0.1"], NOW);
});

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function serve(tls: TlsOptions): Promise<number> {
  requests = 0;
  const server: Server = createServer({ minVersion: "TLSv1.3", ...tls }, (request, response) => {
    requests++;
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return (server.address() as AddressInfo).port;
}

function transportTo(port: number, pin: Uint8Array | undefined, options: TransportOptions = {}): HttpTransport {
  const transport = httpsTransport({ origin: `https://127.0.0.1:${port}`, pin }, options);
  open.push(transport);
  return transport;
}

const hello: HttpRequest = { method: "GET", path: "/hello", headers: { accept: "text/plain" } };

async function say(transport: HttpTransport, request: HttpRequest = hello): Promise<string> {
  const { status, body } = await transport.send(request);
  return `${status} ${Buffer.from(await collect(body, 2 ** 30)).toString()}`;
}

describe("whom a transport speaks to", () => {
  const chain = () => ({ cert: leaf.cert + authority.cert, key: leaf.key });
  before(() => {
    answer = (_, response) => response.end("hi");
  });

  test("one that the pinned authority has signed", async () => {
    assert.equal(await say(transportTo(await serve(chain()), pinOf(authority))), "200 hi");
  });

  test("or whose own certificate is pinned", async () => {
    assert.equal(await say(transportTo(await serve(chain()), pinOf(leaf))), "200 hi");
  });

  test("and logins learn the certificate of their own connection", async () => {
    const connection = await transportTo(await serve(chain()), pinOf(authority)).bind(undefined);
    assert.deepEqual(connection.binding, { kind: 1, hash: pinOf(leaf) });
    assert.equal(await say(connection as never), "200 hi");
    assert.equal(await say(connection as never), "200 hi");
    await connection.close();
  });

  const refused: [string, () => Promise<{ tls: TlsOptions; pin: Uint8Array | undefined; now?: number }>, RegExp][] = [
    ["another server", async () => ({ tls: chain(), pin: pinOf(stranger) }), /fingerprint/],
    [
      "one that shows the pinned authority beside a certificate of its own",
      async () => {
        const other = await makeLeaf(stranger, ["localhost"], NOW);
        return { tls: { cert: other.cert + authority.cert, key: other.key }, pin: pinOf(authority) };
      },
      /fingerprint/,
    ],
    [
      "one that a certificate vouches for which is no authority",
      async () => {
        const below = await makeLeaf(leaf, ["localhost"], NOW);
        return { tls: { cert: below.cert + leaf.cert + authority.cert, key: below.key }, pin: pinOf(authority) };
      },
      /fingerprint/,
    ],
    [
      "one whose certificate is over",
      async () => ({ tls: chain(), pin: pinOf(authority), now: NOW + 400 * DAY_MS }),
      /not valid today/,
    ],
    [
      "one whose certificate has not begun, even when it is the pinned one",
      async () => ({ tls: chain(), pin: pinOf(leaf), now: NOW - 30 * DAY_MS }),
      /not valid today/,
    ],
    [
      "without a pin one that no public authority knows",
      async () => ({ tls: chain(), pin: undefined }),
      /public authority/,
    ],
  ];
  for (const [what, make, words] of refused) {
    test(`not ${what}, and no byte of a request is sent`, async () => {
      const { tls, pin, now = NOW } = await make();
      const clock = { now: () => now, monotonic: () => 0 };
      const transport = transportTo(await serve(tls), pin, { clock });
      await assert.rejects(say(transport), code("server_untrusted", words));
      await assert.rejects(transport.bind(undefined), code("server_untrusted", words));
      assert.equal(requests, 0);
    });
  }

  test("not one that speaks TLS 1.2, or none at all", async () => {
    const old = await serve({ ...chain(), minVersion: "TLSv1.2", maxVersion: "TLSv1.2" });
    await assert.rejects(say(transportTo(old, pinOf(authority))), code("server_unreachable", /TLS 1\.3/));
    const plain = createPlain().listen(0, "127.0.0.1");
    await once(plain, "listening");
    open.push({ close: () => new Promise((resolve) => plain.close(resolve)) });
    const { port } = plain.address() as AddressInfo;
    await assert.rejects(say(transportTo(port, pinOf(authority))), code("server_unreachable", /TLS/));
  });
});

describe("what a transport does", () => {
  let proxy: TcpProxy;
  let transport: HttpTransport;

  const begin = async (options: TransportOptions = {}) => {
    const port = await serve({ cert: leaf.cert + authority.cert, key: leaf.key });
    proxy = await TcpProxy.start(port);
    open.push({ close: () => proxy.stop() });
    transport = transportTo(proxy.port, pinOf(authority), options);
  };

  const echo: RequestListener = (request, response) => {
    const hash = createHash("sha256");
    request.on("data", (slice) => hash.update(slice)).on("end", () => response.end(hash.digest("hex")));
  };
  const large = pseudoRandomBytes(4, 3_000_000);
  const upload: HttpRequest = {
    method: "PUT",
    path: "/x",
    headers: {},
    body: {
      lengthBytes: large.length,
      *slices() {
        for (let at = 0; at < large.length; at += 65_536) yield large.subarray(at, at + 65_536);
      },
    },
  };

  test("bodies go as they are, again if need be, over connections that are kept", async () => {
    await begin();
    answer = echo;
    const expected = `200 ${createHash("sha256").update(large).digest("hex")}`;
    for (let i = 0; i < 3; i++) assert.equal(await say(transport, upload), expected);
    assert.equal(await say(transport, { ...upload, body: large }), expected);
    assert.equal(proxy.connections, 1);
  });

  test("a server that answers before it has read everything is heard", async () => {
    await begin();
    answer = (request, response) => {
      response.statusCode = 507;
      response.end("full");
      request.resume();
    };
    assert.equal(await say(transport, upload), "507 full");
    answer = echo;
    assert.equal(
      await say(transport, { ...upload, body: large.slice(0, 10) }).then((text) => text.slice(0, 4)),
      "200 ",
    );
  });

  const lost = code("server_unreachable", /was lost/);
  test("a connection that is lost while it sends, waits or receives", async () => {
    await begin();
    answer = echo;
    proxy.fate = () => ({ up: 1_000_000, how: "cut" });
    await assert.rejects(say(transport, upload), lost);
    answer = () => proxy.cutAll();
    proxy.fate = () => undefined;
    await assert.rejects(say(transport, upload), lost);
    answer = (_, response) => response.end(Buffer.from(large));
    proxy.fate = () => ({ down: 1_000_000, how: "cut" });
    await assert.rejects(say(transport), lost);
    proxy.fate = () => undefined;
    assert.equal((await say(transport)).length, 4 + Buffer.from(large).toString().length);
  });

  test("an answer without its end is none", async () => {
    await begin();
    answer = (_, response) => {
      response.setHeader("content-length", 100);
      response.write("half");
      response.socket!.end();
    };
    await assert.rejects(say(transport), lost);
  });

  test("silence ends too: while it connects, sends, waits and receives", async () => {
    await begin({ stallMs: 300, connectMs: 300 });
    answer = echo;
    const silent = code("server_unreachable", /moved for too long|does not answer/);
    for (const [request, fate] of [
      [hello, { up: 10, how: "silence" }],
      [upload, { up: 500_000, how: "silence" }],
      [hello, { down: 5000, how: "silence" }],
    ] as const) {
      if ("down" in fate) answer = (_, response) => response.end(Buffer.from(large));
      proxy.fate = () => fate;
      await assert.rejects(say(transport, request), silent);
    }
    answer = () => undefined;
    proxy.fate = () => undefined;
    await assert.rejects(say(transport), silent);
  });

  test("a reader that takes its time does not make the server a silent one", async () => {
    await begin({ stallMs: 1000 });
    answer = ({ url }, response) => {
      if (url === "/hello") response.end(Buffer.from(large));
    };
    const { body } = await transport.send(hello);
    let received = 0;
    for await (const slice of body) {
      // By the time that this one is given up, the other would have been.
      if (received === 0) await assert.rejects(say(transport, { ...hello, path: "/never" }));
      received += slice.length;
    }
    assert.equal(received, large.length);
  });

  test("an interrupted request ends at once", async () => {
    await begin();
    const stop = new AbortController();
    answer = () => stop.abort();
    await assert.rejects(say(transport, { ...hello, signal: stop.signal }), code("interrupted"));
    await assert.rejects(say(transport, { ...hello, signal: stop.signal }), code("interrupted"));
    assert.equal(requests, 1);
  });

  test("where nothing listens, it says so", async () => {
    await begin();
    await proxy.stop();
    await assert.rejects(say(transport), code("server_unreachable", /nothing listens/));
  });
});
