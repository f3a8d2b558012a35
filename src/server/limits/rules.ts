// How many wrong answers are free, and how long the next ones have to wait. Delays double from `firstDelayMs` to `maxDelayMs`.
// The ceilings are low on purpose: a stranger who guesses must never be able to keep somebody out for long.

export type AttemptRule = {
  /** Wrong answers that cost nothing. */
  readonly free: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** After so long without a wrong answer all is forgotten. */
  readonly forgetMs: number;
  /** Attempts that may run at one time while wrong answers are still free; afterwards one. */
  readonly atOnce: number;
};

export type AttemptRules = {
  /** Whatever an address tries. */
  readonly address: AttemptRule;
  /** Whoever tries one account, device or invitation. */
  readonly subject: AttemptRule;
  /** An address that has given the right answer for this subject before is judged by these alone, whatever others do. */
  readonly known: AttemptRule;
};

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const address: AttemptRule = { free: 20, firstDelayMs: SECOND, maxDelayMs: 5 * MINUTE, forgetMs: HOUR, atOnce: 512 };
const subject: AttemptRule = { free: 5, firstDelayMs: SECOND, maxDelayMs: MINUTE, forgetMs: HOUR, atOnce: 5 };
const known: AttemptRule = { free: 5, firstDelayMs: SECOND, maxDelayMs: 5 * MINUTE, forgetMs: HOUR, atOnce: 5 };

/** What can be guessed at. A kind does not weigh on another one. */
export const ATTEMPTS = {
  /** A person's password. */
  password: { address, subject, known },
  /** A code of an authenticator, or a recovery code. */
  factor: { address, subject, known },
  /** What a passkey has signed. */
  passkey: { address, subject, known },
  /** What somebody brings from a sign-in provider. */
  provider: { address, subject, known },
  /** A signed challenge of a device: many devices may stand behind one address and start at once. */
  device: { address: { ...address, free: 100 }, subject: { ...subject, atOnce: 16 }, known: { ...known, atOnce: 16 } },
  /** An invitation of a device. */
  invite: { address, subject, known },
  /** A set-up link. */
  setup: { address, subject, known },
  /** API keys and session cookies: too long to be guessed, so this only slows floods down. */
  token: { address: { ...address, free: 200 }, subject: { ...subject, free: 50 }, known: { ...known, free: 50 } },
} as const satisfies Record<string, AttemptRules>;

export type AttemptKind = keyof typeof ATTEMPTS;

/** Counters kept at one time, and addresses remembered as known: some MiB at most. */
export const MOST_COUNTERS = 20_000;
export const MOST_KNOWN = 10_000;
export const KNOWN_FOR_MS = 30 * 24 * HOUR;
