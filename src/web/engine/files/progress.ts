// How far a transfer is, told twice a second, and what it could not do as in the backup.

import type { TransferNote, TransferProgress, TransferResult } from "../reader-api.ts";

/** Each time the page is painted, which takes both its process and the one that draws: at 120 ms that was an eighth of a restore. */
const TELL_EVERY_MS = 400;
const NOTES_MAX = 1000;

export class Progress {
  phase: TransferProgress["phase"] = "writing";
  files = 0;
  folders = 0;
  bytes = 0;
  totalFiles: number | undefined;
  totalBytes: number | undefined;
  current = "";
  readonly #emit: (progress: TransferProgress) => void;
  readonly #notes: TransferNote[] = [];
  #noteCount = 0;
  #toldAt = 0;

  constructor(emit: (progress: TransferProgress) => void) {
    this.#emit = emit;
  }

  tell(isUrgent = false): void {
    const now = performance.now();
    if (!isUrgent && now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    const { phase, files, bytes, totalFiles, totalBytes, current } = this;
    this.#emit({ phase, files, bytes, totalFiles, totalBytes, current });
  }

  note(note: TransferNote): void {
    this.#noteCount++;
    if (this.#notes.length < NOTES_MAX) this.#notes.push(note);
  }

  result(): TransferResult {
    const { files, folders, bytes } = this;
    return { files, folders, bytes, notes: this.#notes, noteCount: this.#noteCount };
  }
}
