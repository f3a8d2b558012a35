// Runs a case: the contenders take turns (A B A B …), so that what the machine does meanwhile falls on all of them alike.
import type { Case, Contender, Result, Series } from "./case.ts";
import { measure, readFigures } from "./measure.ts";
import { settle } from "./settle.ts";
import { watchStolen } from "./stolen.ts";

export type Turns = Pick<Result, "runs" | "series"> & { readonly allowanceMs?: readonly number[] };

type Values = {
  wallMs: number[];
  peakBytes: number[];
  storedBytes: number[];
  serverPeakBytes: number[];
  stolenShare: number[];
  longestTaskMs: number[];
};

export type TurnOptions = {
  readonly runs: number;
  readonly settleSeconds: number;
  readonly say: (line: string) => void;
};

export async function takeTurns(benchmark: Case, options: TurnOptions): Promise<Turns> {
  const { settleSeconds, say } = options;
  const runs = Math.max(options.runs, benchmark.roundsAtLeast ?? 1);
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
        stolenShare: [],
        longestTaskMs: [],
      }));
      await contender.before?.();
      await settle(settleSeconds);
      const figures = contender.printsFigures ? readFigures : measure;
      const stolen = watchStolen();
      const { wallMs, peakBytes, longestTaskMs } = await figures(contender.command());
      const stolenShare = stolen();
      if (stolenShare !== undefined) of.stolenShare.push(stolenShare);
      const serverPeak = await contender.serverPeak?.();
      if (serverPeak !== undefined) of.serverPeakBytes.push(serverPeak);
      of.wallMs.push(wallMs);
      of.peakBytes.push(peakBytes);
      if (longestTaskMs !== undefined) of.longestTaskMs.push(longestTaskMs);
      if (contender.stored !== undefined) of.storedBytes.push(await contender.stored());
      say(
        `  ${round + 1}/${runs}  ${contender.name.padEnd(18)} ${(wallMs / 1000).toFixed(2)} s  ${mebibytes(peakBytes)}${serverPeak === undefined ? "" : `, its server ${mebibytes(serverPeak)}`}${(stolenShare ?? 0) < 0.02 ? "" : `, ${percent(stolenShare!)} of the processor taken by others`}`,
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

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
