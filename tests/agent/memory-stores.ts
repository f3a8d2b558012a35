// Plans, memories and pauses in memory: what a device keeps on its disk, which outlives the agents of a test.

import type { PauseStore, Pauses } from "../../src/client/agent/pauses.ts";
import type { PlanStore, VaultPlace } from "../../src/client/agent/plan-files.ts";
import type { MemoryPlace, PlanMemory } from "../../src/client/agent/plan-memory.ts";
import type { VaultId } from "../../src/core/ids.ts";
import { type Plan, type PlanInput, readPlan } from "../../src/wire/v4/plan-body.ts";

export class MemoryStores implements MemoryPlace, PauseStore {
  readonly places = new Map<VaultId, VaultPlace>();
  readonly files = new Map<string, Plan>();
  readonly memories = new Map<string, PlanMemory>();
  readonly paused = new Map<VaultId, Pauses>();
  readonly conflicts: string[] = [];

  addVault(vault: VaultId, place = "/vault"): void {
    this.places.set(vault, { vault: place, remotePrograms: "refuse" });
  }

  addPlan(vault: VaultId, plan: PlanInput): void {
    this.files.set(`${vault}/${plan.name}`, readPlan(plan));
  }

  readonly plans: PlanStore = {
    vaults: async () => [...this.places.keys()],
    place: async (vault) => this.places.get(vault),
    savePlace: async (vault, place) => void this.places.set(vault, place),
    list: async (vault) =>
      [...this.files]
        .filter(([key]) => key.startsWith(`${vault}/`))
        .map(([, plan]) => ({ name: plan.name, plan, problem: undefined })),
    read: async (vault, name) => this.files.get(`${vault}/${name}`),
    save: async (vault, plan) => void this.files.set(`${vault}/${plan.name}`, plan),
    saveConflict: async (_, plan) => {
      this.conflicts.push(JSON.stringify(plan));
      return `${plan.name}.conflict-${this.conflicts.length}.json`;
    },
    remove: async (vault, name) => void this.files.delete(`${vault}/${name}`),
  };

  async read(vault: VaultId, plan: string): Promise<PlanMemory | undefined>;
  async read(vault: VaultId): Promise<Pauses>;
  async read(vault: VaultId, plan?: string): Promise<PlanMemory | Pauses | undefined> {
    return plan === undefined ? (this.paused.get(vault) ?? {}) : this.memories.get(`${vault}/${plan}`);
  }

  async write(vault: VaultId, plan: string, memory: PlanMemory): Promise<void>;
  async write(vault: VaultId, pauses: Pauses): Promise<void>;
  async write(vault: VaultId, plan: string | Pauses, memory?: PlanMemory): Promise<void> {
    if (typeof plan === "string") this.memories.set(`${vault}/${plan}`, structuredClone(memory!));
    else this.paused.set(vault, plan);
  }

  async remove(vault: VaultId, plan: string): Promise<void> {
    this.memories.delete(`${vault}/${plan}`);
  }

  async list(vault: VaultId): Promise<string[]> {
    return [...this.memories.keys()]
      .filter((key) => key.startsWith(`${vault}/`))
      .map((key) => key.slice(vault.length + 1));
  }
}
