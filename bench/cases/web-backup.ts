// Backing up from a browser: one large file, half of it text and half of it random, in a tab of Chromium.
import { join } from "node:path";
import type { Case } from "../case.ts";
import { MIXED_FOLDER, prepareMixedFile } from "../data.ts";
import { CHECKOUT } from "../folders.ts";

const BYTES = 2 ** 30;
const SLOWEST_BYTES_PER_SECOND = 80e6;
const PEAK_BYTES = 500 * 2 ** 20;

export const webBackup: Case = {
  name: "web-backup",
  title: "Backup of one file of 1 GiB from a browser tab, over loopback",
  prepare: prepareMixedFile,
  contenders: [
    {
      name: "the page in Chromium",
      command: () => ({ argv: [process.execPath, join(CHECKOUT, "bench", "web-backup.ts"), MIXED_FOLDER] }),
      printsFigures: true,
    },
  ],
  targets: [
    { quantity: "wall", atMost: (BYTES / SLOWEST_BYTES_PER_SECOND) * 1000 },
    { quantity: "peak", atMost: PEAK_BYTES },
  ],
};
