// A process that is asked to stop twice while one of its threads stands in the middle of loading native code (koffi, whose start-up sets
// properties of what it exports: there the thread waits until it is let go). Its exit code is what the test is about.

import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { exitProcess } from "../../src/cli/run.ts";
import { followThread } from "../../src/client/loading-thread.ts";
import { EXIT } from "../../src/core/errors.ts";
import { listenForInterruption } from "../../src/node/signals.ts";

const THREAD = `
  const { parentPort, workerData } = require("node:worker_threads");
  const load = process.dlopen;
  const waitOnce = () => {
    parentPort.postMessage("loading");
    Atomics.wait(workerData.gate, 0, 0);
  };
  process.dlopen = (module, ...rest) => {
    module.exports = new Proxy(module.exports, {
      set: (target, name, value) => (waitOnce(), Reflect.set(target, name, value)),
      defineProperty: (target, name, value) => (waitOnce(), Reflect.defineProperty(target, name, value)),
    });
    return load(module, ...rest);
  };
  require(workerData.koffi);
  parentPort.postMessage("loaded");
`;

const gate = new Int32Array(new SharedArrayBuffer(4));
const ask = (): void => void process.kill(process.pid, "SIGINT");

listenForInterruption(process, ask, () => {
  void exitProcess(EXIT.interrupted);
  gate[0] = 1;
  Atomics.notify(gate, 0);
});
const koffi = createRequire(import.meta.url).resolve("koffi");
const worker = new Worker(THREAD, { eval: true, workerData: { gate, koffi } });
let isAsked = false;
followThread(worker, () => {
  if (isAsked) return;
  isAsked = true;
  ask();
});
