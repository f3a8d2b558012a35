import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { utf8 } from "../../core/bytes.ts";
import { collect } from "../../engine/remote/exchange.ts";
import type { HttpRequest } from "../../engine/remote/transport.ts";
import { fetchTransport } from "./fetch-transport.ts";

let server: Server;
let origin: string;

before(async () => {
  server = createServer(async (request, response) => {
    if (request.url === "/echo") {
      for await (const slice of request) response.write(slice);
      response.end();
    } else if (request.url === "/cut") {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.destroy());
    } else if (request.url === "/stall-body") response.write("one");
    else if (request.url === "/moved") response.writeHead(302, { location: "/echo" }).end();
    else if (request.url === "/health/live") response.end();
    else if (request.url === "/apart/health/live") {
      response.writeHead(200, { "x-cyberbackup-origin": "https://a.example" }).end();
    }
    // Anything else never answers.
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function send(request: Partial<HttpRequest>, stallMs = 10_000) {
  const transport = fetchTransport({ origin, credentials: "omit", stallMs });
  return transport.send({ method: "POST", path: "/echo", headers: {}, ...request });
}

test("bodies go out whole or in slices and come back", async () => {
  const slices = function* () {
    const slice = new Uint8Array(3);
    for (let i = 0; i < 3; i++) yield slice.fill(65 + i);
  };
  for (const [body, expected] of [
    [utf8("hello"), "hello"],
    [{ lengthBytes: 9, slices }, "AAABBBCCC"],
  ] as const) {
    const { status, body: answer } = await send({ body });
    assert.equal(status, 200);
    assert.equal(Buffer.from(await collect(answer, 100)).toString(), expected);
  }
});

test("what is cut off, moved elsewhere or silent is a server that cannot be reached", async () => {
  const gone = { code: "server_unreachable" };
  await assert.rejects(async () => collect((await send({ method: "GET", path: "/cut" })).body, 100), gone);
  await assert.rejects(send({ method: "GET", path: "/moved" }), gone);
  await assert.rejects(send({ method: "GET", path: "/silent" }, 30), gone);
  await assert.rejects(async () => collect((await send({ method: "GET", path: "/stall-body" }, 30)).body, 100), gone);
});

test("a signal ends a request, before and while its answer comes", async () => {
  await assert.rejects(send({ signal: AbortSignal.abort() }), { code: "interrupted" });
  const controller = new AbortController();
  const { body } = await send({ method: "GET", path: "/stall-body", signal: controller.signal });
  const slices = body[Symbol.asyncIterator]();
  await slices.next();
  const next = slices.next();
  controller.abort();
  await assert.rejects(next, { code: "interrupted" });
});

test("a login is bound to the origin of the server, which a page apart from it is told", async () => {
  const bound = async (path: string) => {
    const { binding } = await fetchTransport({ origin: origin + path, credentials: "omit" }).bind(undefined);
    assert.equal(binding.kind, 2);
    return Buffer.from(binding.hash).toString("hex");
  };
  assert.equal(await bound("/apart"), createHash("sha256").update("https://a.example").digest("hex"));
  assert.equal(await bound(""), createHash("sha256").update(origin).digest("hex"));
});
