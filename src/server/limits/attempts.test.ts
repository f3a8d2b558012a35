import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AppError, isAppError } from "../../core/errors.ts";
import { AttemptLimits } from "./attempts.ts";
import { ATTEMPTS } from "./rules.ts";

const MINUTE = 60_000;

function limited(options: { mostCounters?: number; mostKnown?: number } = {}) {
  let now = 1_000_000;
  const limits = new AttemptLimits({ clock: { now: () => now, monotonic: () => now }, ...options });
  const by = (address: string, subject: string) => ({ address, subject });
  const right = (address: string, subject = "anna") => limits.guard("password", by(address, subject), () => "in");
  const wrong = (address: string, subject = "anna") =>
    limits
      .guard("password", by(address, subject), () => {
        throw new AppError("login_failed");
      })
      .catch((error: unknown) => (isAppError(error) ? error.code : String(error)));
  /** Guesses as fast as the limits allow, and says how many guesses were judged within the time. */
  const guessFor = async (ms: number, address: () => string, subject = "anna"): Promise<number> => {
    let judged = 0;
    for (const end = now + ms; now < end; now += 5000) {
      while ((await wrong(address(), subject)) === "login_failed") judged++;
    }
    return judged;
  };
  return { limits, right, wrong, guessFor, pass: (ms: number) => (now += ms) };
}

const refused = (error: unknown): boolean => isAppError(error, "too_many_requests");

describe("delays for wrong attempts", () => {
  it("leave the first ones free, then double", async () => {
    const { wrong, pass } = limited();
    for (let n = 0; n <= ATTEMPTS.password.subject.free; n++) assert.equal(await wrong("192.0.2.1"), "login_failed");
    for (const delay of [1000, 2000, 4000, 8000]) {
      assert.equal(await wrong("192.0.2.1"), "too_many_requests");
      pass(delay - 1);
      assert.equal(await wrong("192.0.2.1"), "too_many_requests");
      pass(1);
      assert.equal(await wrong("192.0.2.1"), "login_failed");
    }
  });

  it("say how long to wait", async () => {
    const { wrong, right } = limited();
    while ((await wrong("192.0.2.1")) === "login_failed");
    await assert.rejects(right("192.0.2.1"), (error: AppError) => error.context.retryAfter === 1);
  });

  it("let one address try few passwords in a day, whatever accounts it takes", async () => {
    const { guessFor } = limited();
    let n = 0;
    const judged = await guessFor(24 * 60 * MINUTE, () => "192.0.2.1", `person${n++}`);
    assert.ok(judged < 1600, String(judged));
  });

  it("let many addresses together try one account about once a minute", async () => {
    const { guessFor } = limited();
    let n = 0;
    const judged = await guessFor(6 * 60 * MINUTE, () => `192.0.${(n >> 8) & 255}.${n++ & 255}`);
    assert.ok(judged > 300 && judged < 400, String(judged));
  });

  it("judge guesses made at one time like guesses made one after the other", async () => {
    const { limits } = limited();
    let judged = 0;
    const tries = Array.from({ length: 200 }, () =>
      limits.guard("password", { address: "192.0.2.1", subject: "anna" }, async () => {
        judged++;
        await Promise.resolve();
        throw new AppError("login_failed");
      }),
    );
    await Promise.allSettled(tries);
    assert.equal(judged, ATTEMPTS.password.subject.atOnce);
  });

  it("are forgotten after a quiet hour", async () => {
    const { wrong, pass } = limited();
    for (let n = 0; n < 30; n++) {
      await wrong("192.0.2.1");
      pass(MINUTE);
    }
    pass(61 * MINUTE);
    for (let n = 0; n <= ATTEMPTS.password.subject.free; n++) assert.equal(await wrong("192.0.2.1"), "login_failed");
  });

  it("take addresses of one IPv6 network for one", async () => {
    const { limits } = limited();
    let judged = 0;
    for (let n = 0; n < 100; n++) {
      const by = { address: `2001:db8::${n.toString(16)}`, subject: `p${n}` };
      await limits
        .guard("password", by, () => {
          judged++;
          throw new AppError("login_failed");
        })
        .catch(() => undefined);
    }
    assert.equal(judged, ATTEMPTS.password.address.free + 1);
  });
});

describe("a right answer", () => {
  it("is let in at once from where it was right before, however much others guess", async () => {
    const { right, wrong, guessFor } = limited();
    assert.equal(await right("198.51.100.7"), "in");
    let n = 0;
    await guessFor(60 * MINUTE, () => `192.0.2.${n++ & 255}`);
    await guessFor(60 * MINUTE, () => "198.51.100.7", "somebody else behind the same address");
    while ((await wrong("192.0.2.77")) === "login_failed");
    assert.equal(await wrong("192.0.2.78"), "too_many_requests", "the guessers do wait");
    assert.equal(await right("198.51.100.7"), "in");
  });

  it("is let in within a minute from a new place, whatever guesses came before", async () => {
    const { right, guessFor, pass } = limited();
    let n = 0;
    await guessFor(60 * MINUTE, () => `192.0.2.${n++ & 255}`);
    pass(MINUTE);
    assert.equal(await right("198.51.100.7"), "in");
  });

  it("still waits for wrong ones from its own place", async () => {
    const { right, wrong } = limited();
    await right("198.51.100.7");
    for (let n = 0; n <= ATTEMPTS.password.known.free; n++) await wrong("198.51.100.7");
    await assert.rejects(right("198.51.100.7"), refused);
  });

  it("does not forgive an address what it got wrong elsewhere", async () => {
    const { right, wrong } = limited();
    for (let n = 0; n < ATTEMPTS.password.address.free; n++) await wrong("192.0.2.1", `p${n}`);
    await right("192.0.2.1", "mallory");
    assert.equal(await wrong("192.0.2.1", "q"), "login_failed");
    assert.equal(await wrong("192.0.2.1", "r"), "too_many_requests");
  });

  it("is let in together with many others from one address", async () => {
    const { right } = limited();
    const all = await Promise.all(Array.from({ length: 500 }, (_, n) => right("192.0.2.1", `device${n}`)));
    assert.equal(all.length, 500);
  });
});

describe("the memory of attempts", () => {
  it("is bounded, and a flood does not free who is held back", async () => {
    const { limits, wrong, right } = limited({ mostCounters: 200, mostKnown: 50 });
    while ((await wrong("192.0.2.1")) === "login_failed");
    for (let n = 0; n < 2000; n++) await wrong(`10.0.${n >> 8}.${n & 255}`, `flood${n}`);
    for (let n = 0; n < 200; n++) await right(`10.1.0.${n}`, `good${n}`);
    assert.ok(limits.size <= 250, String(limits.size));
    assert.equal(await wrong("192.0.2.1"), "too_many_requests");
  });

  it("counts no failure of the server against anybody", async () => {
    const { limits, right } = limited();
    for (let n = 0; n < 100; n++) {
      const broken = limits.guard("password", { address: "192.0.2.1", subject: "anna" }, () => {
        throw new AppError("io", { context: { path: "x", detail: "y" } });
      });
      await assert.rejects(broken, (error) => isAppError(error, "io"));
    }
    assert.equal(await right("192.0.2.1"), "in");
  });
});
