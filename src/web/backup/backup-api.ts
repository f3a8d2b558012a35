// What the page can ask of its backup worker.

import type { Chosen, ChosenFile } from "./chosen.ts";
import type { RunEnd, RunEvent } from "./figures.ts";
import type { PreparedVault, VaultWish } from "./make-vault.ts";
import type { BackupWish } from "./run.ts";
import type { Measured } from "./scan.ts";

/** What was chosen is handed over once and called by a number from then on. */
export type ChosenId = number;

export type BackupApi = {
  hold: { readonly input: { readonly id: ChosenId; readonly chosen: Chosen }; readonly output: null };
  /** More files of a folder that is held: a page hands over thousands in slices. */
  holdMore: { readonly input: { readonly id: ChosenId; readonly files: readonly ChosenFile[] }; readonly output: null };
  drop: { readonly input: ChosenId; readonly output: null };
  measure: { readonly input: ChosenId; readonly output: Measured; readonly event: Measured };
  run: {
    readonly input: Omit<BackupWish, "chosen"> & { readonly chosen: readonly ChosenId[] };
    readonly output: RunEnd;
    readonly event: RunEvent;
  };
  pause: { readonly input: null; readonly output: null };
  resume: { readonly input: null; readonly output: null };
  prepareVault: { readonly input: VaultWish; readonly output: PreparedVault };
};
