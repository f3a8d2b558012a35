// Peak memory must not grow with the number of files.
import { type Case, type Contender, PEAK_LIMIT } from "../case.ts";
import { prepareTinyFiles } from "../data.ts";
import { work } from "../folders.ts";
import { cyberbackup, firstBackup, restic } from "../peers.ts";

const FEW = 100_000;
const MANY = 1_000_000;

export const memory100k: Case = {
  name: "memory-100k",
  title: "First backup of 100,000 tiny files",
  prepare: async () => {
    await prepareTinyFiles(FEW);
  },
  contenders: [tiny(cyberbackup("memory-100k"), FEW), tiny(restic("memory-100k"), FEW)],
  targets: [PEAK_LIMIT],
};

export const memoryFlat: Case = {
  name: "memory-flat",
  title: "Peak memory of 1,000,000 tiny files against 100,000",
  heavy: true,
  prepare: async () => {
    await prepareTinyFiles(FEW);
    await prepareTinyFiles(MANY);
  },
  contenders: [
    named(tiny(cyberbackup("memory-flat-many"), MANY), "1,000,000 files"),
    named(tiny(cyberbackup("memory-flat-few"), FEW), "100,000 files"),
  ],
  targets: [{ quantity: "peak", against: "100,000 files", atMost: 1.1 }, PEAK_LIMIT],
};

function tiny(program: Parameters<typeof firstBackup>[0], count: number): Contender {
  return firstBackup(program, work("data", `tiny-${count}`));
}

function named(contender: Contender, name: string): Contender {
  return { ...contender, name };
}
