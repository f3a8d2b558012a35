// The plans of this device: `plans/<vaultId>/NAME.json` in its home, one file each, which people may edit by hand (docs/agent.md, Plans).
// Reading never changes a file, and one with a mistake keeps no other from being read.

import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { tryUtf8Decode } from "../../core/bytes.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import { readFileIfExists, writeFileAtomic } from "../../node/atomic-file.ts";
import { type Plan, type PlanInput, planName, readPlan } from "../../wire/v4/plan-body.ts";

export type ListedPlan =
  | { readonly name: string; readonly plan: Plan; readonly problem: undefined }
  | { readonly name: string; readonly plan: undefined; readonly problem: AppError };

/** Where a vault is, and whether its server may bring programs. */
export type VaultPlace = { readonly vault: string; readonly remotePrograms: "refuse" | "allow" };

export interface PlanStore {
  /** Vaults that have a place: those for which the agent works. */
  vaults(): Promise<VaultId[]>;
  place(vault: VaultId): Promise<VaultPlace | undefined>;
  savePlace(vault: VaultId, place: VaultPlace): Promise<void>;
  /** Sorted by name. */
  list(vault: VaultId): Promise<ListedPlan[]>;
  /** undefined when there is none. Throws `plan_invalid`, `io`. */
  read(vault: VaultId, name: string): Promise<Plan | undefined>;
  save(vault: VaultId, plan: Plan): Promise<void>;
  /** Keeps a version that lost against the server's, beside it; answers the name of its file. */
  saveConflict(vault: VaultId, plan: Plan): Promise<string>;
  remove(vault: VaultId, name: string): Promise<void>;
}

/** Beside the plans of a vault. */
export const PLACE_FILE = "place.json";
const PLAN_MAX_BYTES = 256 * 1024;
const placeSchema = z.strictObject({
  vault: z.string().min(1).max(4096),
  remotePrograms: z.enum(["refuse", "allow"]).default("refuse"),
});

/** `dir` is the home folder. */
export function planFiles(dir: string): PlanStore {
  const folderOf = (vault: VaultId) => join(dir, "plans", vault);
  const pathOf = (vault: VaultId, name: string) => join(folderOf(vault), `${requireName(name)}.json`);
  const store: PlanStore = {
    async vaults() {
      const names = await namesIn(join(dir, "plans"));
      return names.filter((name): name is VaultId => /^[0-9a-f]{32}$/.test(name)).sort();
    },

    async place(vault) {
      const path = join(folderOf(vault), PLACE_FILE);
      const content = await readFileIfExists(path);
      if (content === undefined) return undefined;
      const judged = placeSchema.safeParse(parse(content, path));
      if (judged.success) return judged.data;
      throw invalid(`${path} must hold {"vault": "FOLDER or https://host:port/NAME"}.`);
    },

    savePlace: (vault, place) => writeFileAtomic(join(folderOf(vault), PLACE_FILE), pretty(place)),

    async list(vault) {
      const names = (await namesIn(folderOf(vault)))
        .filter((name) => name.endsWith(".json") && name !== PLACE_FILE && !CONFLICT.test(name))
        .map((name) => name.slice(0, -".json".length))
        .filter((name) => planName.safeParse(name).success)
        .sort();
      const listed: ListedPlan[] = [];
      for (const name of names) {
        try {
          const plan = await store.read(vault, name);
          if (plan) listed.push({ name, plan, problem: undefined });
        } catch (error) {
          if (!isAppError(error)) throw error;
          listed.push({ name, plan: undefined, problem: error });
        }
      }
      return listed;
    },

    async read(vault, name) {
      const path = pathOf(vault, name);
      const content = await readFileIfExists(path);
      if (content === undefined) return undefined;
      const plan = readPlan(parse(content, path));
      if (plan.name === name) return plan;
      throw invalid(`name: it must be ${JSON.stringify(name)}, as the file is called.`);
    },

    save: (vault, plan) => writeFileAtomic(pathOf(vault, plan.name), pretty(withoutDefaults(plan))),

    async saveConflict(vault, plan) {
      const taken = new Set(await namesIn(folderOf(vault)));
      let n = 1;
      while (taken.has(`${plan.name}.conflict-${n}.json`)) n++;
      const name = `${plan.name}.conflict-${n}.json`;
      await writeFileAtomic(join(folderOf(vault), name), pretty(withoutDefaults(plan)));
      return name;
    },

    async remove(vault, name) {
      await unlink(pathOf(vault, name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    },
  };
  return store;
}

const CONFLICT = /\.conflict-\d+\.json$/;

/** As a person would have written it: without what has its default anyway. */
export function withoutDefaults(plan: Plan): PlanInput {
  const defaults = readPlan({ name: plan.name, sources: ["/"] }) as Readonly<Record<string, unknown>>;
  const kept = Object.entries(plan).filter(
    ([key, value]) => key === "name" || JSON.stringify(value) !== JSON.stringify(defaults[key]) || key === "sources",
  );
  const out = Object.fromEntries(kept) as PlanInput & { sources?: readonly string[] };
  if (plan.command) delete out.sources;
  return out;
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function parse(content: Uint8Array, path: string): unknown {
  if (content.length > PLAN_MAX_BYTES) throw invalid(`${path} is over 256 KiB.`);
  const text = tryUtf8Decode(content);
  if (text === undefined) throw invalid(`${path} is not UTF-8.`);
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    // The rest of the message quotes the file, which a log must not.
    const where = /\bline \d+ column \d+/.exec((cause as Error).message)?.[0];
    throw invalid(`${path} is not JSON${where === undefined ? "" : `: ${where}`}.`);
  }
}

function requireName(name: string): string {
  if (planName.safeParse(name).success) return name;
  throw invalid("name: must be lower-case letters, digits, dots, dashes and underscores.");
}

function invalid(detail: string, cause?: unknown): AppError {
  return new AppError("plan_invalid", { cause, context: { detail } });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new AppError("io", { cause, context: { path: folder, detail: `${(cause as NodeJS.ErrnoException).code}.` } });
  }
}
