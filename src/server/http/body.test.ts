import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { LIMITS } from "../../core/config-schema.ts";
import { isAppError } from "../../core/errors.ts";
import { readBody, streamBody } from "./body.ts";

const PIECE_BYTES = 256 * 1024;
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

test("a body that stalls is given up, and one that brings a little is not", async (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const request = newRequest();
  const body = streamBody(request, 10, NEVER);
  const stalled = assert.rejects(body.next(), refused("request_invalid", /too slowly/));
  for (let i = 0; i < 3; i++) {
    await turns();
    t.mock.timers.tick(LIMITS.serverStallMs.value - 1);
    request.write("b");
  }
  await turns();
  t.mock.timers.tick(LIMITS.serverStallMs.value);
  await stalled;
});

test("a body that trickles is given up when a minute brought too little; one that keeps the least rate is not", async () => {
  const seconds = 10;
  const enough = LIMITS.serverBytesPerSecond.value * seconds;
  assert.equal(await bytesTaken(seconds * 1000, enough, 20), enough * 20);
  await assert.rejects(bytesTaken(seconds * 1000, enough - 1, 20), refused("request_invalid", /too slowly/));
  // The time that the server itself takes is not the sender's.
  assert.equal(await bytesTaken(0, PIECE_BYTES, 5, 600_000), PIECE_BYTES * 5);
});

test("a sender that is faster than the reader is held up", async () => {
  const request = newRequest();
  const body = streamBody(request, 100 * PIECE_BYTES, NEVER);
  const first = body.next();
  await turns();
  let written = 0;
  while (written < 90 && request.write(Buffer.alloc(PIECE_BYTES))) {
    written++;
    await turns();
  }
  assert.ok(written > 1 && written < 10, `${written} pieces were taken`);
  let read = (await first).value!.length;
  request.end();
  for await (const piece of body) read += piece.length;
  assert.equal(read, (written + 1) * PIECE_BYTES);
});

/** A body of slices that come so far apart, whose reader works so long on each piece; answers how many bytes were taken. */
async function bytesTaken(apartMs: number, bytes: number, count: number, workMs = 0): Promise<number> {
  const request = newRequest();
  let nowMs = 0;
  let taken = 0;
  const reading = (async () => {
    for await (const piece of streamBody(request, bytes * count, NEVER, { monotonic: () => nowMs })) {
      taken += piece.length;
      nowMs += workMs;
    }
  })();
  reading.catch(() => undefined);
  for (let sent = 0; sent < count; sent++) {
    await turns();
    nowMs += apartMs;
    request.write(Buffer.alloc(bytes));
  }
  await turns();
  request.end();
  await reading;
  return taken;
}

test("a body whose sender goes away ends at once", async () => {
  const request = newRequest();
  const body = streamBody(request, 10, NEVER);
  const waiting = assert.rejects(body.next(), refused("interrupted"));
  await turns();
  request.destroy();
  await waiting;
});

test("a body is left while it waits when its signal fires", async () => {
  const controller = new AbortController();
  const body = streamBody(newRequest(), 10, controller.signal);
  const waiting = assert.rejects(body.next(), /revoked/);
  await turns();
  controller.abort(new Error("revoked"));
  await waiting;
});

/** Lets what is under way get as far as it can. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
