import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { allLoaded, followThread } from "./loading-thread.ts";

/** Takes its time to load, then does what `then` says. */
function start(isLoaded: Int32Array, then: string): Worker {
  const code = `const { parentPort, workerData } = require("node:worker_threads");
    Atomics.wait(workerData, 1, 0, 100);
    ${then}`;
  return new Worker(code, { eval: true, workerData: isLoaded });
}

const shared = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

test("a thread is not ended before it has loaded, and then at once", async () => {
  const isLoaded = shared();
  const heard: unknown[] = [];
  const worker = start(
    isLoaded,
    `workerData[0] = 1;
    parentPort.postMessage("loaded");
    parentPort.postMessage("work");
    parentPort.on("message", () => undefined);`,
  );
  const thread = followThread(worker, (message) => heard.push(message));
  await thread.end();
  assert.equal(isLoaded[0], 1);
  assert.ok(heard.every((message) => message === "work"));
});

test("one that breaks while it loads is over as well", async () => {
  const worker = start(shared(), "throw new Error('no such module')");
  const failed = new Promise((resolve) => worker.on("error", resolve));
  const thread = followThread(worker, () => undefined);
  await thread.end();
  assert.match(String(await failed), /no such module/);
});

test("whoever wants to end the process hears when all have loaded", async () => {
  const isLoaded = shared();
  const worker = start(isLoaded, `workerData[0] = 1; parentPort.postMessage("loaded");`);
  followThread(worker, () => undefined);
  await allLoaded();
  assert.equal(isLoaded[0], 1);
  await allLoaded();
  await worker.terminate();
});
