// The page as it is shipped, built once for all test files: whoever comes first builds, the others wait.

import { closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { buildPage, isPageStale, PAGE_FOLDER } from "../../scripts/build-page.ts";

const LOCK = `${PAGE_FOLDER}.lock`;
const LONGEST_MS = 120_000;

export async function builtPage(): Promise<void> {
  if (!isPageStale()) return;
  mkdirSync(join(PAGE_FOLDER, ".."), { recursive: true });
  while (!takeLock()) await pause(200);
  try {
    if (isPageStale()) await buildPage();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

/** A lock whose holder was killed is taken over when a build cannot take as long. */
function takeLock(): boolean {
  try {
    closeSync(openSync(LOCK, "wx"));
    return true;
  } catch {
    const { mtimeMs } = statSync(LOCK, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > LONGEST_MS) rmSync(LOCK, { force: true });
    return false;
  }
}
