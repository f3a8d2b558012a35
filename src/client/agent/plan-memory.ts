// What the agent remembers of a plan between runs and across its own end: which moments were handled, what runs, what to try again, how the
// last runs went. One small file for each plan, replaced as a whole (docs/agent.md). A file that is damaged counts as none: a run too many.

import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { tryUtf8Decode } from "../../core/bytes.ts";
import type { VaultId } from "../../core/ids.ts";
import { tryParseJson } from "../../crypto/secrets.ts";
import { readFileIfExists, writeFileAtomic } from "../../node/atomic-file.ts";

const time = z.number().min(0);
const count = z.number().int().min(0);

const RUN_OUTCOMES = ["ok", "partial", "failed", "cancelled", "interrupted"] as const;
export type RunOutcome = (typeof RUN_OUTCOMES)[number];
export const TRIGGERS = ["schedule", "catch-up", "retry", "asked", "manual"] as const;
export type Trigger = (typeof TRIGGERS)[number];

const lastRun = z.object({
  run: z.string(),
  trigger: z.enum(TRIGGERS),
  startedAt: time,
  endedAt: time,
  outcome: z.enum(RUN_OUTCOMES),
  snapshot: z.string().nullable(),
  error: z.string().nullable(),
  /** In words, for this device only. */
  message: z.string(),
  files: count,
  changedFiles: count,
  newFiles: count,
  bytes: count,
  addedBytes: count,
  problems: count,
  remarks: z.array(z.string()),
  /** The end of what a program printed that failed. */
  output: z.string(),
});
export type LastRun = z.output<typeof lastRun>;

const schema = z.object({
  /** At servers: 16 bytes in hex. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  /** Moments of the schedule up to here need nothing any more. */
  handled: time,
  retry: z.object({ at: time, tries: count, moment: time.nullable(), error: z.string() }).nullable(),
  /** Set while a run is under way: who finds it without such a run knows that it was killed. */
  running: z
    .object({ run: z.string(), startedAt: time, moment: time.nullable(), trigger: z.enum(TRIGGERS), tries: count })
    .nullable(),
  last: lastRun.nullable(),
  lastGoodAt: time.nullable(),
  /** What the next run is compared with; `coverage` is a checksum of what decides which files there are. */
  baseline: z.object({ coverage: count, files: count, shares: z.array(z.number()) }).nullable(),
  /** What of it the server has: version there, and hash of the plan that it stands for. */
  synced: z.object({ version: count, hash: z.string() }).nullable(),
  /** Code of what keeps the server's version from being taken over. */
  refused: z.object({ version: count, error: z.string() }).nullable(),
});
export type PlanMemory = z.output<typeof schema>;

export function newMemory(id: string, now: number): PlanMemory {
  return {
    id,
    handled: now,
    retry: null,
    running: null,
    last: null,
    lastGoodAt: null,
    baseline: null,
    synced: null,
    refused: null,
  };
}

export interface MemoryStore {
  /** undefined when there is none that can be used. */
  read(vault: VaultId, plan: string): Promise<PlanMemory | undefined>;
  write(vault: VaultId, plan: string, memory: PlanMemory): Promise<void>;
  remove(vault: VaultId, plan: string): Promise<void>;
}

/** `dir` is the home folder. */
export function memoryFiles(dir: string): MemoryStore {
  const pathOf = (vault: VaultId, plan: string) => join(dir, "agent", vault, `${plan}.json`);
  return {
    async read(vault, plan) {
      const content = await readFileIfExists(pathOf(vault, plan));
      const parsed = schema.safeParse(tryParseJson(tryUtf8Decode(content ?? new Uint8Array()) ?? ""));
      return parsed.success ? parsed.data : undefined;
    },
    write: (vault, plan, memory) => writeFileAtomic(pathOf(vault, plan), `${JSON.stringify(memory)}\n`),
    remove: async (vault, plan) => {
      await unlink(pathOf(vault, plan)).catch(() => undefined);
    },
  };
}
