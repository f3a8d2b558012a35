// Runs a case: the contenders take turns (A B A B …), so that what the machine does meanwhile falls on all of them alike.
import type { Case, Contender, Result, Series } from "./case.ts";
import { measure, readFigures, run } from "./measure.ts";

export type Turns = Pick<Result, "runs" | "series"> & { readonly allowanceMs?: readonly number[] };

type Values = {
  wallMs: number[];
  peakBytes: number[];
  storedBytes: number[];
  serverPeakBytes: number[];
  longestTaskMs: number[];
};

export async function takeTurns(benchmark: Case, wanted: number, say: (line: string) => void): Promise<Turns> {
  const runs = Math.max(wanted, benchmark.roundsAtLeast ?? 1);
  await benchmark.prepare();
  for (const contender of benchmark.contenders) await contender.setup?.();

  const series = new Map<Contender, Values>();
  const allowanceMs: number[] = [];
  for (let round = 0; round < runs; round++) {
    await benchmark.beforeRound?.(round);
    for (const contender of benchmark.contenders) {
      const of = series.getOrInsertComputed(contender, () => ({
        wallMs: [],
        peakBytes: [],
        storedBytes: [],
        serverPeakBytes: [],
        longestTaskMs: [],
      }));
      await contender.before?.();
      // What the last one wrote must not be written back at this one's cost.
      await run({ argv: ["sync"] });
      const figures = contender.printsFigures ? readFigures : measure;
      const { wallMs, peakBytes, longestTaskMs } = await figures(contender.command());
      const serverPeak = await contender.serverPeak?.();
      if (serverPeak !== undefined) of.serverPeakBytes.push(serverPeak);
      of.wallMs.push(wallMs);
      of.peakBytes.push(peakBytes);
      if (longestTaskMs !== undefined) of.longestTaskMs.push(longestTaskMs);
      if (contender.stored !== undefined) of.storedBytes.push(await contender.stored());
      say(
        `  ${round + 1}/${runs}  ${contender.name.padEnd(18)} ${(wallMs / 1000).toFixed(2)} s  ${mebibytes(peakBytes)}${serverPeak === undefined ? "" : `, its server ${mebibytes(serverPeak)}`}`,
      );
    }
    if (benchmark.allowance !== undefined) allowanceMs.push(await benchmark.allowance.measureMs());
  }
  const all: Series[] = [...series].map(([{ name }, values]) => ({ name, ...values }));
  return { runs, series: all, ...(allowanceMs.length > 0 && { allowanceMs }) };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
