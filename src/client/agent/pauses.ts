// Which plans are paused, and until when: one small file for each vault, which the agent and commands both write.

import { join } from "node:path";
import { z } from "zod";
import { tryUtf8Decode } from "../../core/bytes.ts";
import type { VaultId } from "../../core/ids.ts";
import { tryParseJson } from "../../crypto/secrets.ts";
import { readFileIfExists, writeFileAtomic } from "../../node/atomic-file.ts";

/** By the name of the plan, or `ALL_PLANS`: when the pause ends; `FOREVER` until it is taken back. */
export type Pauses = Readonly<Record<string, number>>;

export const ALL_PLANS = "*";
export const FOREVER = Number.MAX_SAFE_INTEGER;

export interface PauseStore {
  read(vault: VaultId): Promise<Pauses>;
  write(vault: VaultId, pauses: Pauses): Promise<void>;
}

const schema = z.record(z.string(), z.number().min(0));

/** `dir` is the home folder. A damaged file pauses nothing. */
export function pauseFiles(dir: string): PauseStore {
  const pathOf = (vault: VaultId) => join(dir, "agent", vault, ".pauses.json");
  return {
    async read(vault) {
      const content = await readFileIfExists(pathOf(vault));
      const judged = schema.safeParse(tryParseJson(tryUtf8Decode(content ?? new Uint8Array()) ?? ""));
      return judged.success ? judged.data : {};
    },
    write: (vault, pauses) => writeFileAtomic(pathOf(vault), `${JSON.stringify(pauses)}\n`),
  };
}

/** When the plan's pause ends; undefined when it is not paused. */
export function pausedUntil(pauses: Pauses, plan: string, now: number): number | undefined {
  const until = Math.max(pauses[plan] ?? 0, pauses[ALL_PLANS] ?? 0);
  return until > now ? until : undefined;
}

/** A pause for one plan or for all; resuming all resumes each. */
export function withPause(pauses: Pauses, plan: string | undefined, until: number | undefined): Pauses {
  if (until !== undefined) return { ...pauses, [plan ?? ALL_PLANS]: until };
  if (plan === undefined) return {};
  const { [plan]: _, ...others } = pauses;
  return others;
}
