// Holds what was measured against what was promised.
import type { Case, Quantity, Result, Series, Target } from "./case.ts";
import { pairwiseRatios, type Spread, spread, verdict } from "./statistics.ts";

export type Judgement = {
  readonly target: Target;
  readonly measured: Spread;
  readonly verdict: string;
};

export function judge(benchmark: Case, result: Result): Judgement[] {
  return benchmark.targets.map((target) => {
    const measured = measuredFor(target, result);
    return { target, measured, verdict: verdict(measured.median, target.atMost) };
  });
}

function measuredFor({ quantity, against }: Target, { series, allowanceMs }: Result): Spread {
  const ours = values(series[0], quantity);
  if (against !== undefined)
    return pairwiseRatios(
      ours,
      values(
        series.find(({ name }) => name === against),
        quantity,
      ),
    );
  if (quantity !== "wall" || allowanceMs === undefined) return spread(ours);
  return spread(ours.map((value, i) => value - allowanceMs[i]!));
}

export function values(series: Series | undefined, quantity: Quantity): readonly number[] {
  if (series === undefined) throw new Error("the result holds no such contender");
  const { wallMs, storedBytes, peakBytes, serverPeakBytes = [], longestTaskMs = [] } = series;
  return { wall: wallMs, stored: storedBytes, peak: peakBytes, server: serverPeakBytes, task: longestTaskMs }[quantity];
}
