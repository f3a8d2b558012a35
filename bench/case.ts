// What a benchmark case is: data, contenders that take turns on it, and what was promised.
import type { Command } from "./measure.ts";

export type Contender = {
  readonly name: string;
  /** Once, before the first run; for instance a vault that all runs restore from. Not timed. */
  readonly setup?: () => Promise<void>;
  /** Before each run: removes what the last one left, makes a fresh vault. Not timed. */
  readonly before?: () => Promise<void>;
  readonly command: () => Command;
  /** The last line that the command prints is its `Measured` as JSON, which counts instead of what is seen from outside. */
  readonly printsFigures?: boolean;
  /** After a run: how many bytes it stored. */
  readonly stored?: () => Promise<number>;
  /** After a run: most memory of a process that is not the command's child, as a server is. */
  readonly serverPeak?: () => Promise<number>;
};

/** `server`: the peak memory of the server that the command speaks to. `task`: the longest one of a page's own thread, during which it answers nobody. */
export type Quantity = "wall" | "stored" | "peak" | "server" | "task";

/** A promise about the first contender, against another one (a ratio) or on its own (milliseconds or bytes). */
export type Target = {
  readonly quantity: Quantity;
  readonly against?: string;
  readonly atMost: number;
};

export type Case = {
  readonly name: string;
  readonly title: string;
  /** Runs only when it is asked for by name or with --heavy. */
  readonly heavy?: boolean;
  /** For what takes milliseconds: more rounds than were asked for. */
  readonly roundsAtLeast?: number;
  readonly prepare: () => Promise<void>;
  /** Before each round of contenders, with the round's number from 0. Not timed. */
  readonly beforeRound?: (round: number) => Promise<void>;
  /** The first one is ours. */
  readonly contenders: readonly [Contender, ...Contender[]];
  readonly targets: readonly Target[];
  /** A part of the first contender's wall time that the target does not count, in milliseconds. Measured in each round. */
  readonly allowance?: { readonly what: string; readonly measureMs: () => Promise<number> };
};

export type Series = {
  readonly name: string;
  readonly wallMs: readonly number[];
  readonly peakBytes: readonly number[];
  readonly storedBytes: readonly number[];
  readonly serverPeakBytes?: readonly number[];
  /** What others took of the processor's time in each turn (bench/stolen.ts). */
  readonly stolenShare?: readonly number[];
  readonly longestTaskMs?: readonly number[];
};

/** What a case gave; kept as JSON in the work folder, so that the page can be written again without running everything. */
export type Result = {
  readonly name: string;
  readonly date: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly runs: number;
  readonly series: readonly Series[];
  readonly allowanceMs?: readonly number[];
};

export const PEAK_LIMIT: Target = { quantity: "peak", atMost: 256 * 1024 * 1024 };
