// What a run came to, kept beside its state file so that the next one can say how long it may take. Only a hint: whatever is wrong with
// it, there is none.

import { readFileSync, writeFileSync } from "node:fs";
import type { Logger } from "../core/log.ts";
import { tryParseJson } from "../crypto/secrets.ts";
import type { RunTotals } from "../engine/backup/types.ts";

export function readTotals(statePath: string): RunTotals | undefined {
  let text: string;
  try {
    text = readFileSync(pathOf(statePath), "utf8");
  } catch {
    return undefined;
  }
  const { files, bytes } = (tryParseJson(text) ?? {}) as Partial<Record<keyof RunTotals, unknown>>;
  return isCount(files) && isCount(bytes) ? { files, bytes } : undefined;
}

export function saveTotals(statePath: string, { files, bytes }: RunTotals, logger: Logger): void {
  try {
    writeFileSync(pathOf(statePath), `${JSON.stringify({ files, bytes })}\n`, { mode: 0o600 });
  } catch (error) {
    logger.warn("the totals of this run could not be kept", { error: error as Error });
  }
}

function pathOf(statePath: string): string {
  return statePath.replace(/\.state$/, ".totals.json");
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
