// What is said of a series of runs. Pairs ran one after the other, so each pair saw the same machine: the ratio is taken
// pair by pair first, and then the median of those.

export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("a spread needs at least one value");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Ours over theirs, pair by pair. */
export function pairwiseRatios(ours: readonly number[], theirs: readonly number[]): Spread {
  if (ours.length !== theirs.length) throw new RangeError("the two series are not pairs");
  return spread(ours.map((value, i) => value / theirs[i]!));
}

/** How a measured value stands to the most that was promised. */
export function verdict(value: number, atMost: number): string {
  if (value <= atMost) return `met, ${Math.round((1 - value / atMost) * 100)} % to spare`;
  return `missed by ${Math.round((value / atMost - 1) * 100)} %`;
}
