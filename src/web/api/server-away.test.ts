import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../../core/errors.ts";
import { throughOutages } from "./server-away.ts";

/** Ends as the outcomes say, one a try. */
function work(...outcomes: (string | AppError)[]) {
  const told: (string | boolean)[] = [];
  const attempt = async (isAgain: boolean): Promise<string> => {
    told.push(isAgain ? "again" : "first");
    const outcome = outcomes.shift();
    if (typeof outcome === "string") return outcome;
    throw outcome;
  };
  const at = {
    signal: new AbortController().signal,
    untilBack: async () => void told.push("back"),
    onWaiting: (isWaiting: boolean) => void told.push(isWaiting),
  };
  return { told, end: throughOutages(attempt, at) };
}

test("what a lost server has cut off is tried again each time that it is back", async () => {
  const { told, end } = work(new AppError("server_unreachable"), new AppError("server_stopping"), "whole");
  assert.equal(await end, "whole");
  assert.deepEqual(told, ["first", true, "back", false, "again", true, "back", false, "again"]);
});

test("what ends for another reason is not tried again", async () => {
  const { told, end } = work(new AppError("quota_full"), "never");
  await assert.rejects(end, { code: "quota_full" });
  assert.deepEqual(told, ["first"]);
});

test("whoever cancels while the server is away is not kept waiting", async () => {
  const cancel = new AbortController();
  const end = throughOutages(() => Promise.reject(new AppError("server_unreachable")), {
    signal: cancel.signal,
    onWaiting: () => cancel.abort(),
    untilBack: async (signal) => signal.throwIfAborted(),
  });
  await assert.rejects(end, { name: "AbortError" });
});
