// The page in a tab of Chromium: backing one large file up and restoring it, a folder of a million entries, and the first sight of it.
import { join } from "node:path";
import type { Case, Contender, Target } from "../case.ts";
import { MIXED_FOLDER, prepareMixedFile } from "../data.ts";
import { CHECKOUT } from "../folders.ts";

/** Half of it text and half of it random. */
const BYTES = 2 ** 30;
const BACKUP_BYTES_PER_SECOND = 80e6;
const RESTORE_BYTES_PER_SECOND = 120e6;
const FIRST_PAINT_MS = 1500;
const PEAK: Target = { quantity: "peak", atMost: 500 * 2 ** 20 };
const TASK: Target = { quantity: "task", atMost: 100 };

export const webBackup: Case = {
  name: "web-backup",
  title: "Backup of one file of 1 GiB from a browser tab, over loopback",
  prepare: prepareMixedFile,
  contenders: [page("web-backup.ts", MIXED_FOLDER)],
  targets: [{ quantity: "wall", atMost: (BYTES / BACKUP_BYTES_PER_SECOND) * 1000 }, PEAK, TASK],
};

export const webRestore: Case = {
  name: "web-restore",
  title: "Restore of one file of 1 GiB in a browser tab, over loopback",
  prepare: prepareMixedFile,
  contenders: [page("web-restore.ts", MIXED_FOLDER)],
  targets: [{ quantity: "wall", atMost: (BYTES / RESTORE_BYTES_PER_SECOND) * 1000 }, PEAK, TASK],
};

export const webMillion: Case = {
  name: "web-million",
  title: "A folder of 1,000,000 entries opened, scrolled through, sorted and searched in a browser tab",
  prepare: async () => undefined,
  contenders: [page("web-million.ts")],
  targets: [PEAK, TASK],
};

export const webFirstPaint: Case = {
  name: "web-first-paint",
  title: "The overview in a browser that has not seen it before, from its address to its sentence on the screen",
  prepare: async () => undefined,
  contenders: [page("web-first-paint.ts")],
  targets: [{ quantity: "wall", atMost: FIRST_PAINT_MS }],
};

function page(script: string, ...args: string[]): Contender {
  return {
    name: "the page in Chromium",
    command: () => ({ argv: [process.execPath, join(CHECKOUT, "bench", script), ...args] }),
    printsFigures: true,
  };
}
