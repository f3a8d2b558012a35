// Whether a run looks unlike those before it: far fewer files, or far more of them changed, as after ransomware (docs/agent.md, What looks
// wrong). Counts only; it never says which files.

export type Counts = {
  readonly files: number;
  readonly newFiles: number;
  readonly changedFiles: number;
  readonly unchangedFiles: number;
  /** Bytes of chunks that the vault lacked, before compression, and sealed. */
  readonly newBytes: number;
  readonly addedBytes: number;
};

export type Remark = "fewer-files" | "many-changed";

export type Baseline = {
  /** Of the last good run of the same sources and excludes. */
  readonly files: number;
  /** Shares of files that changed in the last good runs, the newest last. */
  readonly shares: readonly number[];
};

export const SHARES_KEPT = 10;
const FEWEST_FILES = 100;
const FEWER_SHARE = 0.1;
const MANY_SHARE = 0.5;
const TIMES_USUAL = 5;
/** When what is new looks encrypted. */
const SUSPECT_SHARE = 0.2;
const INCOMPRESSIBLE = 0.95;
/** Sealing and padding say nothing about less. */
const SUSPECT_BYTES = 2 ** 20;

/** `isCompressed`: the run tried to compress what was new. */
export function remarksOn(counts: Counts, before: Baseline | undefined, isCompressed: boolean): Remark[] {
  if (!before || before.files < FEWEST_FILES) return [];
  const remarks: Remark[] = [];
  if (counts.files <= before.files * FEWER_SHARE) remarks.push("fewer-files");
  const share = changedShare(counts, before.files);
  const usual = before.shares.reduce((sum, each) => sum + each, 0) / Math.max(1, before.shares.length);
  const looksEncrypted =
    isCompressed && counts.newBytes >= SUSPECT_BYTES && counts.addedBytes >= INCOMPRESSIBLE * counts.newBytes;
  if (share >= TIMES_USUAL * usual && share >= (looksEncrypted ? SUSPECT_SHARE : MANY_SHARE))
    remarks.push("many-changed");
  return remarks;
}

/** Files that changed, or are gone with as many new ones in their place (renamed), as a share of those that there were. */
export function changedShare({ changedFiles, unchangedFiles, newFiles }: Counts, filesBefore: number): number {
  if (filesBefore === 0) return 0;
  const gone = Math.max(0, filesBefore - changedFiles - unchangedFiles);
  return Math.min(1, (changedFiles + Math.min(gone, newFiles)) / filesBefore);
}
