// What the agent remembers of a plan between runs and across its own end: which moments were handled, what runs, what to try again, how the
// last runs went. One small file for each plan, replaced as a whole (docs/agent.md). A file that is damaged counts as none: a run too many.

import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { tryUtf8Decode } from "../../core/bytes.ts";
import type { VaultId } from "../../core/ids.ts";
import { tryParseJson } from "../../crypto/secrets.ts";
import { readFileIfExists, writeFileAtomic } from "../../node/atomic-file.ts";
import { planName } from "../../wire/v4/plan-body.ts";

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

/** Where memories lie. */
export interface MemoryPlace {
  /** undefined when there is none that can be used. */
  read(vault: VaultId, plan: string): Promise<PlanMemory | undefined>;
  write(vault: VaultId, plan: string, memory: PlanMemory): Promise<void>;
  remove(vault: VaultId, plan: string): Promise<void>;
  /** Names of plans that are remembered, whether or not there is a file of them still. */
  list(vault: VaultId): Promise<string[]>;
}

export interface MemoryStore extends Omit<MemoryPlace, "write"> {
  /** Changes what is there when its turn comes: a run and its server may both have something to remember. Answers what is remembered then. */
  update(
    vault: VaultId,
    plan: string,
    change: (before: PlanMemory | undefined) => PlanMemory | undefined,
  ): Promise<PlanMemory | undefined>;
}

export function memoryStore(place: MemoryPlace): MemoryStore {
  const turns = new Map<string, Promise<unknown>>();
  return {
    read: (vault, plan) => place.read(vault, plan),
    remove: (vault, plan) => place.remove(vault, plan),
    list: (vault) => place.list(vault),
    update(vault, plan, change) {
      const key = `${vault}/${plan}`;
      const turn = (turns.get(key) ?? Promise.resolve()).then(async () => {
        const before = await place.read(vault, plan);
        const after = change(before);
        if (after && after !== before) await place.write(vault, plan, after);
        return after;
      });
      const settled = turn
        .catch(() => undefined)
        .then(() => {
          if (turns.get(key) === settled) turns.delete(key);
        });
      turns.set(key, settled);
      return turn;
    },
  };
}

/** `dir` is the home folder. */
export function memoryFiles(dir: string): MemoryStore {
  const pathOf = (vault: VaultId, plan: string) => join(dir, "agent", vault, `${plan}.json`);
  return memoryStore({
    async read(vault, plan) {
      const content = await readFileIfExists(pathOf(vault, plan));
      const parsed = schema.safeParse(tryParseJson(tryUtf8Decode(content ?? new Uint8Array()) ?? ""));
      return parsed.success ? parsed.data : undefined;
    },
    write: (vault, plan, memory) => writeFileAtomic(pathOf(vault, plan), `${JSON.stringify(memory)}\n`),
    remove: async (vault, plan) => {
      await unlink(pathOf(vault, plan)).catch(() => undefined);
    },
    async list(vault) {
      const names = await readdir(join(dir, "agent", vault)).catch(() => [] as string[]);
      return names
        .filter((name) => name.endsWith(".json"))
        .map((name) => name.slice(0, -".json".length))
        .filter((name) => planName.safeParse(name).success);
    },
  });
}
