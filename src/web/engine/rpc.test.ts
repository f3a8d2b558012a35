import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../../core/errors.ts";
import { type Endpoint, Peer, type Service } from "./rpc.ts";

type Sums = {
  add: { input: readonly [number, number]; output: number };
  count: { input: number; output: string; event: number };
  wait: { input: null; output: never };
  fail: { input: "app" | "other"; output: never };
  length: { input: Uint8Array<ArrayBuffer>; output: ArrayBuffer };
  askBack: { input: string; output: string };
};
type Names = { name: { input: string; output: string } };

/** What the signal of the last `wait` said. */
let cutOff: unknown;

function pair(service: Partial<Service<Sums>> = {}) {
  const { port1, port2 } = new MessageChannel();
  const all: Service<Sums> = {
    add: ([a, b]) => a + b,
    count: (to, { emit }) => {
      for (let i = 1; i <= to; i++) emit(i);
      return "done";
    },
    wait: (_, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          cutOff = signal.reason;
          reject(signal.reason);
        });
      }),
    fail: (how) => {
      throw how === "app" ? new AppError("not_found", { context: { what: "The cat" } }) : new TypeError("oh");
    },
    length: (bytes, { transfer }) => {
      transfer(bytes.buffer);
      return bytes.buffer;
    },
    askBack: (who) => theirs.call("name", who),
    ...service,
  };
  const theirs = new Peer<Names>(port1 as unknown as Endpoint, all);
  const ours = new Peer<Sums>(port2 as unknown as Endpoint, { name: (who: string) => `${who}!` });
  port1.start();
  port2.start();
  return { ours, theirs, close: () => port1.close() };
}

test("calls are answered, in any order, with events on their way, from both ends", async () => {
  const { ours, close } = pair();
  const events: number[] = [];
  const answers = await Promise.all([
    ours.call("count", 3, { onEvent: (event) => events.push(event) }),
    ours.call("add", [2, 3]),
    ours.call("askBack", "Ann"),
  ]);
  assert.deepEqual(answers, ["done", 5, "Ann!"]);
  assert.deepEqual(events, [1, 2, 3]);
  close();
});

test("errors come as they were; what nobody knows is an error too", async () => {
  const { ours, close } = pair();
  await assert.rejects(ours.call("fail", "app"), { code: "not_found", message: /The cat/ });
  await assert.rejects(ours.call("fail", "other"), { code: "internal", message: /TypeError: oh/ });
  await assert.rejects(ours.call("toString" as "add", [1, 2]), { code: "internal" });
  close();
});

test("a signal cuts the call off at the other end", async () => {
  const { ours, close } = pair();
  const controller = new AbortController();
  const waiting = ours.call("wait", null, { signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, { code: "interrupted" });
  assert.equal((cutOff as AppError).code, "interrupted");
  await assert.rejects(ours.call("add", [1, 2], { signal: AbortSignal.abort() }), { code: "interrupted" });
  close();
});

test("what is transferred is moved, not copied", async () => {
  const { ours, close } = pair();
  const bytes = new Uint8Array(1000);
  const moved = await ours.call("length", bytes, { transfer: [bytes.buffer] });
  assert.equal(bytes.length, 0);
  assert.equal(moved.byteLength, 1000);
  close();
});

test("after closing nothing waits and nothing can be asked", async () => {
  const { ours, close } = pair();
  const waiting = ours.call("wait", null);
  ours.close(new AppError("interrupted"));
  await assert.rejects(waiting, { code: "interrupted" });
  await assert.rejects(ours.call("add", [1, 2]), { code: "interrupted" });
  close();
});
