import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { LIMITS } from "../../core/config-schema.ts";
import { isAppError } from "../../core/errors.ts";
import { bodySlices, readBody } from "./body.ts";

const NEVER = new AbortController().signal;
const refused =
  (code: string, detail = /./) =>
  (error: unknown) =>
    isAppError(error, code as never) && detail.test(error.message);

function newRequest(headers: Record<string, string> = {}): PassThrough & IncomingMessage {
  return Object.assign(new PassThrough(), { headers }) as unknown as PassThrough & IncomingMessage;
}

test("a body comes whole, and nothing is left listening", async () => {
  const request = newRequest();
  request.write("ab");
  request.end("c");
  const { bytes } = await readBody(request, 3, NEVER);
  assert.equal(Buffer.from(bytes).toString(), "abc");
  assert.equal(request.listenerCount("data"), 0);
});

test("a body over its limit is refused by what it announces, and by what it sends", async () => {
  await assert.rejects(readBody(newRequest({ "content-length": "4" }), 3, NEVER), refused("limit"));
  const request = newRequest();
  request.write("abcd");
  await assert.rejects(readBody(request, 3, NEVER), refused("limit"));
});

test("a body that stalls is given up", async (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const request = newRequest();
  request.write("a");
  const body = bodySlices(request, 10, NEVER);
  await body.next();
  const waiting = body.next();
  await turns();
  t.mock.timers.tick(LIMITS.serverStallMs.value - 1);
  request.write("b");
  await waiting;
  const stalled = assert.rejects(body.next(), refused("request_invalid", /too slowly/));
  await turns();
  t.mock.timers.tick(LIMITS.serverStallMs.value);
  await stalled;
});

test("a body that trickles is given up when a minute brought too little; one that keeps the least rate is not", async () => {
  const seconds = 10;
  const enough = LIMITS.serverBytesPerSecond.value * seconds;
  assert.equal(await slicesTaken(seconds * 1000, enough, 20), 20);
  await assert.rejects(slicesTaken(seconds * 1000, enough - 1, 20), refused("request_invalid", /too slowly/));
  // The time that the server itself takes is not the sender's.
  assert.equal(await slicesTaken(0, 1, 20, 60_000), 20);
});

/** A body of slices that come so far apart; answers how many were taken. */
async function slicesTaken(apartMs: number, bytes: number, count: number, workMs = 0): Promise<number> {
  const request = newRequest();
  let nowMs = 0;
  const body = bodySlices(request, bytes * count, NEVER, { monotonic: () => nowMs });
  for (let taken = 0; ; taken++) {
    const next = body.next();
    await turns();
    nowMs += apartMs;
    if (taken === count) request.end();
    else request.write(Buffer.alloc(bytes));
    if ((await next).done) return taken;
    nowMs += workMs;
  }
}

test("a body whose sender goes away ends at once", async () => {
  const request = newRequest();
  const body = bodySlices(request, 10, NEVER);
  const waiting = assert.rejects(body.next(), refused("interrupted"));
  await turns();
  request.destroy();
  await waiting;
});

test("a body is left while it waits when its signal fires", async () => {
  const controller = new AbortController();
  const body = bodySlices(newRequest(), 10, controller.signal);
  const waiting = assert.rejects(body.next(), /revoked/);
  await turns();
  controller.abort(new Error("revoked"));
  await waiting;
});

/** Lets what is under way get as far as it can. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
