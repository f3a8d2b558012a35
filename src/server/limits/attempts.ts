// Delays and lock-outs for whatever can be guessed: passwords, codes, tokens. Kept in memory, of bounded size, by a clock that
// is given. An attempt counts as wrong from its first moment until it turns out right, so that a thousand guesses at once are
// judged like a thousand one after the other. It never learns what was tried, only where and on what.

import type { Clock } from "../../core/clock.ts";
import { AppError, type ErrorCode, isAppError } from "../../core/errors.ts";
import type { Parts } from "../store-parts.ts";
import { addressKey } from "./address.ts";
import { ATTEMPTS, type AttemptKind, type AttemptRule, KNOWN_FOR_MS, MOST_COUNTERS, MOST_KNOWN } from "./rules.ts";

export type AttemptBy = {
  /** The caller's address; undefined or "local" for this machine's socket, which has none. */
  readonly address: string | undefined;
  /** What is tried: an e-mail address, a device id, an invitation. Undefined where only the address can be counted. */
  readonly subject: string | undefined;
};

type Counter = { wrong: number; pending: number; blockedUntil: number; lastWrong: number };
type Watched = { readonly key: string; readonly rule: AttemptRule; readonly isAddress: boolean };

const LOCAL = "local";

const WRONG: ReadonlySet<ErrorCode> = new Set([
  "login_failed",
  "invite_invalid",
  "setup_invalid",
  "factor_wrong",
  "passphrase_wrong",
]);

export class AttemptLimits {
  readonly #clock: Clock;
  readonly #mostCounters: number;
  readonly #mostKnown: number;
  /** Oldest touched first. */
  readonly #counters = new Map<string, Counter>();
  /** Address and subject of right answers → until when they are remembered. */
  readonly #known = new Map<string, number>();

  constructor({
    clock,
    mostCounters = MOST_COUNTERS,
    mostKnown = MOST_KNOWN,
  }: Parts<"clock"> & { readonly mostCounters?: number; readonly mostKnown?: number }) {
    this.#clock = clock;
    this.#mostCounters = mostCounters;
    this.#mostKnown = mostKnown;
  }

  /** How many counters are held: for tests and metrics. */
  get size(): number {
    return this.#counters.size + this.#known.size;
  }

  /**
   * Runs `work`, which checks what was given. It counts as wrong when it throws an error that says so (`login_failed`,
   * `invite_invalid`, …) and as right when it returns. Throws `too_many_requests` without running it while a delay lasts.
   */
  async guard<T>(kind: AttemptKind, by: AttemptBy, work: () => Promise<T> | T): Promise<T> {
    const watched = this.#watched(kind, by);
    this.#begin(watched);
    try {
      const result = await work();
      this.#end(watched, "right");
      this.#remember(kind, by);
      return result;
    } catch (error) {
      this.#end(watched, isAppError(error) && WRONG.has(error.code) ? "wrong" : "void");
      throw error;
    }
  }

  #watched(kind: AttemptKind, { address, subject }: AttemptBy): Watched[] {
    const rules = ATTEMPTS[kind];
    const where = whereOf(address);
    const pair = pairKey(kind, where, subject);
    if (pair !== undefined && this.#isKnown(pair)) return [{ key: pair, rule: rules.known, isAddress: false }];
    const watched: Watched[] = [];
    if (where !== undefined) watched.push({ key: `${kind} a ${where}`, rule: rules.address, isAddress: true });
    if (subject !== undefined)
      watched.push({ key: `${kind} s ${short(subject)}`, rule: rules.subject, isAddress: false });
    return watched;
  }

  #begin(watched: readonly Watched[]): void {
    const now = this.#clock.now();
    const counters = watched.map(({ key, rule }) => ({ counter: this.#counter(key, rule, now), rule }));
    const waits = counters.map(({ counter, rule }) => waitFor(counter, rule, now));
    const retryAfterMs = Math.max(0, ...waits);
    if (retryAfterMs > 0) {
      throw new AppError("too_many_requests", { context: { retryAfter: Math.ceil(retryAfterMs / 1000) } });
    }
    for (const { counter } of counters) counter.pending++;
  }

  #end(watched: readonly Watched[], how: "right" | "wrong" | "void"): void {
    const now = this.#clock.now();
    for (const { key, rule, isAddress } of watched) {
      const counter = this.#counters.get(key);
      if (counter === undefined) continue;
      counter.pending--;
      // What an address got wrong elsewhere is not forgiven for one right answer; what a subject got wrong is.
      if (how === "right" && !isAddress) counter.wrong = 0;
      if (how !== "wrong") continue;
      counter.wrong++;
      counter.lastWrong = now;
      const over = counter.wrong - rule.free;
      if (over > 0)
        counter.blockedUntil = now + Math.min(rule.maxDelayMs, rule.firstDelayMs * 2 ** Math.min(over - 1, 30));
    }
  }

  /** The counter of a key, made young again: by its age if need be, and as the last one to be dropped. */
  #counter(key: string, rule: AttemptRule, now: number): Counter {
    const found = this.#counters.get(key);
    const counter = found ?? { wrong: 0, pending: 0, blockedUntil: 0, lastWrong: now };
    if (now - counter.lastWrong > rule.forgetMs) counter.wrong = 0;
    this.#counters.delete(key);
    if (found === undefined && this.#counters.size >= this.#mostCounters) this.#dropOne(now);
    this.#counters.set(key, counter);
    return counter;
  }

  /** Drops the oldest counter that holds nobody back; if the oldest ones all do, the oldest that nobody is using. */
  #dropOne(now: number): void {
    let fallback: string | undefined;
    let seen = 0;
    for (const [key, { pending, blockedUntil }] of this.#counters) {
      if (pending === 0 && blockedUntil <= now) {
        this.#counters.delete(key);
        return;
      }
      if (pending === 0) fallback ??= key;
      if (++seen >= 64 && fallback !== undefined) break;
    }
    if (fallback !== undefined) this.#counters.delete(fallback);
  }

  #isKnown(pair: string): boolean {
    const until = this.#known.get(pair);
    if (until === undefined) return false;
    if (until > this.#clock.now()) return true;
    this.#known.delete(pair);
    return false;
  }

  #remember(kind: AttemptKind, { address, subject }: AttemptBy): void {
    const pair = pairKey(kind, whereOf(address), subject);
    if (pair === undefined) return;
    this.#known.delete(pair);
    if (this.#known.size >= this.#mostKnown) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(pair, this.#clock.now() + KNOWN_FOR_MS);
  }
}

/** Milliseconds until the next attempt may begin; 0 is now. */
function waitFor({ wrong, pending, blockedUntil }: Counter, rule: AttemptRule, now: number): number {
  if (blockedUntil > now) return blockedUntil - now;
  const atOnce = Math.max(1, wrong >= rule.free ? 1 : rule.atOnce - wrong);
  return pending >= atOnce ? rule.firstDelayMs : 0;
}

function whereOf(address: string | undefined): string | undefined {
  return address === undefined || address === LOCAL ? undefined : addressKey(address);
}

function pairKey(kind: AttemptKind, where: string | undefined, subject: string | undefined): string | undefined {
  return where === undefined || subject === undefined ? undefined : `${kind} p ${where} ${short(subject)}`;
}

/** Strangers choose subjects: none may be long. */
function short(subject: string): string {
  return subject.toLowerCase().slice(0, 128);
}
