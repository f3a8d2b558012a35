// Feeds damaged and hostile input to a decoder: it must give a right answer or an AppError, allocate no more than its input
// warrants, and come back. Deterministic: a failure names the seed's step and the input in hex. Runs in Node and in Chromium.

import assert from "node:assert/strict";
import { toHex } from "../src/core/bytes.ts";
import { isAppError } from "../src/core/errors.ts";

export type MutationPlan = {
  /** Valid inputs to start from. */
  readonly samples: readonly Uint8Array[];
  /** Decodes one input. Here a test may wrap the input first, say with a valid checksum. */
  readonly decode: (input: Uint8Array) => unknown;
  /** Checks what `decode` gave, say that encoding it gives the input back. */
  readonly check?: (result: unknown, input: Uint8Array) => unknown;
  /** How many inputs, 100,000 unless told; a browser gets a tenth, as its hashing is slower. */
  readonly count?: number;
  readonly seed?: number;
  /** Bytes that one `decode` may allocate for an input of `length`; 16 times as much and 64 KiB unless told. */
  readonly maxAllocation?: (length: number) => number;
};

const LONGEST_MS = 10_000;
const IN_BROWSER = !("process" in globalThis);

/** Of so many inputs one is decoded with its allocations counted, which is slow: the last ones, and so many at least. */
const WATCHED_ONE_IN = 10;
const WATCHED_AT_LEAST = 1000;

export async function surviveMutations(plan: MutationPlan): Promise<{ accepted: number; refused: number }> {
  const count = Math.ceil((plan.count ?? 100_000) / (IN_BROWSER ? 10 : 1));
  const firstWatched = Math.max(0, count - Math.max(WATCHED_AT_LEAST, Math.ceil(count / WATCHED_ONE_IN)));
  const maxAllocation = plan.maxAllocation ?? ((length: number) => 16 * length + 65536);
  const random = new Random(plan.seed ?? 1);
  const outcome = { accepted: 0, refused: 0 };
  // Most inputs are refused by an error, whose stack would cost more than the decoding.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  let allocations: ReturnType<typeof watchAllocations> | undefined;
  try {
    for (let step = 0; step < count; step++) {
      if (step === firstWatched) allocations = watchAllocations();
      const input = mutate(random, plan.samples);
      const untouched = input.slice();
      if (allocations) allocations.bytes = 0;
      const start = performance.now();
      try {
        const result = plan.decode(input);
        const value = result instanceof Promise ? await result : result;
        outcome.accepted++;
        if (plan.check) await plan.check(value, untouched);
      } catch (error) {
        if (!isAppError(error) || error.code === "internal") {
          Error.stackTraceLimit = stackTraceLimit;
          throw new MutationError(step, untouched, await withStack(plan, untouched.slice(), error));
        }
        outcome.refused++;
      }
      const allocated = allocations?.bytes ?? 0;
      if (allocated > maxAllocation(input.length))
        throw new MutationError(step, untouched, `allocated ${allocated} bytes`);
      if (performance.now() - start > LONGEST_MS && (await takesLong(plan, untouched)))
        throw new MutationError(step, untouched, "took too long");
    }
  } finally {
    allocations?.stop();
    Error.stackTraceLimit = stackTraceLimit;
  }
  assert.ok(outcome.refused > 0, "no mutation was refused: nothing was tested");
  return outcome;
}

/** The machine may have been busy with other things; an input that takes long does so again. */
async function takesLong(plan: MutationPlan, input: Uint8Array): Promise<boolean> {
  for (let tries = 0; tries < 3; tries++) {
    const start = performance.now();
    await Promise.try(plan.decode, input.slice()).catch(() => undefined);
    if (performance.now() - start <= LONGEST_MS) return false;
  }
  return true;
}

/** The same error once more, now that errors say where they come from. */
async function withStack(plan: MutationPlan, input: Uint8Array, first: unknown): Promise<unknown> {
  try {
    const untouched = input.slice();
    await plan.check?.(await plan.decode(input), untouched);
  } catch (error) {
    return error;
  }
  return first;
}

class MutationError extends Error {
  constructor(step: number, input: Uint8Array, cause: unknown) {
    const shown = input.length > 2000 ? `${toHex(input.subarray(0, 2000))}… (${input.length} bytes)` : toHex(input);
    super(`step ${step}: ${cause instanceof Error ? cause.stack : String(cause)}\ninput ${shown}`);
  }
}

/** Numbers that length fields lie with. */
const LIES = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x1000000, 0x7fffffff, 0x80000000, 0xffffffff, 2 ** 53];

type Mutation = (random: Random, bytes: Uint8Array, samples: readonly Uint8Array[]) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(random, bytes) {
    if (bytes.length > 0) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    return bytes;
  },
  function setByte(random, bytes) {
    if (bytes.length > 0)
      bytes[random.below(bytes.length)] = random.pick([0, 1, 0x7f, 0x80, 0xc0, 0xff, random.below(256)]);
    return bytes;
  },
  function lieLittleEndian(random, bytes) {
    return lie(random, bytes, true);
  },
  function lieBigEndian(random, bytes) {
    return lie(random, bytes, false);
  },
  function truncate(random, bytes) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function extend(random, bytes) {
    return splice(bytes, bytes.length, 0, random.bytes(1 + random.below(40)));
  },
  function removeRange(random, bytes) {
    const at = random.below(bytes.length + 1);
    return splice(bytes, at, random.below(Math.min(64, bytes.length - at) + 1), new Uint8Array(0));
  },
  function repeatRange(random, bytes) {
    const at = random.below(bytes.length + 1);
    const part = bytes.slice(at, at + 1 + random.below(64));
    return splice(bytes, random.below(bytes.length + 1), 0, part);
  },
  function spliceOther(random, bytes, samples) {
    const other = random.pick(samples);
    const part = other.slice(random.below(other.length + 1)).subarray(0, 1 + random.below(200));
    return splice(bytes, random.below(bytes.length + 1), random.below(2) * part.length, part);
  },
  function runOfOneByte(random, bytes) {
    const run = new Uint8Array(1 + random.below(300)).fill(random.pick([0, 0x81, 0x91, 0xff, random.below(256)]));
    return splice(bytes, random.below(bytes.length + 1), 0, run);
  },
];

function mutate(random: Random, samples: readonly Uint8Array[]): Uint8Array {
  let bytes: Uint8Array = random.pick(samples).slice();
  for (let left = 1 + random.below(3); left > 0; left--) bytes = random.pick(MUTATIONS)(random, bytes, samples);
  return bytes;
}

function lie(random: Random, bytes: Uint8Array, littleEndian: boolean): Uint8Array {
  const size = random.pick([1, 2, 4, 8]);
  if (bytes.length < size) return bytes;
  const near = bytes.length + random.below(5) - 2;
  let rest = random.pick([...LIES, near, random.below(2 ** 31)]);
  const at = random.below(bytes.length - size + 1);
  for (let i = 0; i < size; i++) {
    bytes[littleEndian ? at + i : at + size - 1 - i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

function splice(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  const rest = bytes.subarray(Math.min(bytes.length, at + removed));
  const out = new Uint8Array(at + added.length + rest.length);
  out.set(bytes.subarray(0, at));
  out.set(added, at);
  out.set(rest, at + added.length);
  return out;
}

/** xorshift32 (Marsaglia, "Xorshift RNGs", 2003). */
class Random {
  #word: number;

  constructor(seed: number) {
    this.#word = seed | 1;
  }

  below(limit: number): number {
    this.#word ^= this.#word << 13;
    this.#word ^= this.#word >>> 17;
    this.#word ^= this.#word << 5;
    return (this.#word >>> 0) % limit;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** Adds up the lengths of all `new Uint8Array(n)` and `new ArrayBuffer(n)` until it is stopped. */
function watchAllocations(): { bytes: number; stop(): void } {
  const watch = { bytes: 0, stop };
  const originals = { Uint8Array: globalThis.Uint8Array, ArrayBuffer: globalThis.ArrayBuffer };
  const counting = <T extends object>(target: T): T =>
    new Proxy(target, {
      construct(builtin, args, newTarget) {
        if (typeof args[0] === "number") watch.bytes += args[0];
        return Reflect.construct(builtin as new () => object, args, newTarget);
      },
    });
  function stop(): void {
    Object.assign(globalThis, originals);
  }
  globalThis.Uint8Array = counting(originals.Uint8Array);
  globalThis.ArrayBuffer = counting(originals.ArrayBuffer);
  return watch;
}
