import { test } from "node:test";
import { systemSleep } from "./clock.ts";

const FOR_EVER_MS = 2 ** 30;

test("sleep ends in time, and at once when the signal fires or has fired", async () => {
  await systemSleep(0);
  await systemSleep(FOR_EVER_MS, AbortSignal.abort());
  const waker = new AbortController();
  const asleep = systemSleep(FOR_EVER_MS, waker.signal);
  waker.abort();
  await asleep;
});
