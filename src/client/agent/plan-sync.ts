// Brings the plans of the device and those at its server together (docs/agent.md, At a server). Each change names the version that it was made from;
// where both sides changed, the server's version is taken and the device's is kept beside it. A body from a server brings no program to run.

import { utf8 } from "../../core/bytes.ts";
import { crc32c } from "../../core/checksum.ts";
import { AppError, type ErrorCode, isAppError } from "../../core/errors.ts";
import type { NameToken, VaultId } from "../../core/ids.ts";
import { tellableOf } from "../../engine/plan-seal.ts";
import type { StoredPlan } from "../../wire/v4/api/plan-routes.ts";
import { type Plan, programsOf } from "../../wire/v4/plan-body.ts";
import type { AgentEvent } from "./agent-event.ts";
import type { DeviceServer } from "./device-server.ts";
import type { PlanStore } from "./plan-files.ts";
import { type MemoryStore, newMemory, type PlanMemory } from "./plan-memory.ts";

/** Seals and opens bodies; `version` is the one that the body has. */
export interface PlanCodec {
  seal(plan: Plan, id: string, version: number): Promise<Uint8Array<ArrayBuffer>>;
  open(sealed: Uint8Array, id: string, version: number): Promise<Plan>;
  token(name: string): Promise<NameToken>;
}

export type PlanSyncOptions = {
  readonly vault: VaultId;
  readonly server: DeviceServer;
  readonly plans: PlanStore;
  readonly memories: MemoryStore;
  readonly codec: PlanCodec;
  readonly now: () => number;
  readonly onEvent: (event: AgentEvent) => void;
};

type Local = { readonly name: string; readonly plan: Plan | undefined; readonly memory: PlanMemory };

export type SyncedPlans = {
  /** Plans of the device have changed. */
  readonly hasChanged: boolean;
  /** Plans of the server that the device has never followed, and why. */
  readonly strange: readonly StrangePlan[];
};
export type StrangePlan = { readonly plan: string; readonly error: ErrorCode };

/** Throws what the server throws. */
export async function syncPlans(options: PlanSyncOptions): Promise<SyncedPlans> {
  const remote = await options.server.ownPlans();
  const locals = await readLocals(options);
  const strange: StrangePlan[] = [];
  let hasChanged = false;
  for (const stored of remote) {
    const local = locals.find(({ memory }) => memory.id === stored.plan);
    const onStrange = (error: ErrorCode): unknown => strange.push({ plan: stored.plan, error });
    if (await take({ ...options, onStrange }, stored, local, locals)) hasChanged = true;
  }
  for (const local of locals) {
    if (local.plan && !remote.some(({ plan }) => plan === local.memory.id)) await put(options, local.plan, local, 0);
  }
  return { hasChanged, strange };
}

/** Plans that have a file, and memories of plans that had one. */
async function readLocals({ vault, plans, memories }: PlanSyncOptions): Promise<Local[]> {
  const listed = await plans.list(vault);
  const locals: Local[] = [];
  for (const { name, plan } of listed) {
    const memory = await memories.read(vault, name);
    // One whose file has a mistake stays as the server has it.
    if (memory) locals.push({ name, plan, memory });
    else if (plan) throw new AppError("internal", { context: { detail: "a plan was not loaded yet" } });
  }
  for (const name of await memories.list(vault)) {
    if (listed.some((each) => each.name === name)) continue;
    const memory = await memories.read(vault, name);
    if (memory) locals.push({ name, plan: undefined, memory });
  }
  return locals;
}

type TakeOptions = PlanSyncOptions & { readonly onStrange: (error: ErrorCode) => void };

async function take(
  options: TakeOptions,
  stored: StoredPlan,
  local: Local | undefined,
  locals: readonly Local[],
): Promise<boolean> {
  const { vault, server, plans, memories } = options;
  const { synced, refused } = local?.memory ?? { synced: null, refused: null };
  const hasFile = local !== undefined && (await isListed(options, local.name));
  const isEdited = local?.plan !== undefined && synced?.hash !== hashOf(local.plan);
  // A server that went back is not followed; what it lost is put there again once it knows the plan no more.
  if (synced && stored.version < synced.version) return false;
  if (synced?.version === stored.version) {
    if (stored.deleted) return false;
    if (!hasFile && local) {
      await server.dropPlan(stored.plan, stored.version);
      await memories.remove(vault, local.name);
    } else if (local?.plan && isEdited) await put(options, local.plan, local, stored.version);
    return false;
  }
  if (stored.deleted) {
    if (!local) return false;
    if (local.plan && isEdited) {
      tell(options, local.name, await plans.saveConflict(vault, local.plan));
    }
    await plans.remove(vault, local.name);
    await memories.remove(vault, local.name);
    return hasFile;
  }
  if (refused?.version === stored.version && !(await mayBringPrograms(options))) return false;
  return adopt(options, stored, hasFile ? local : undefined, { isEdited, locals });
}

/** Takes the server's version over, if it may be. */
async function adopt(
  options: TakeOptions,
  stored: StoredPlan,
  local: Local | undefined,
  { isEdited, locals }: { isEdited: boolean; locals: readonly Local[] },
): Promise<boolean> {
  const { vault, plans, memories, codec, now, onEvent } = options;
  const { plan: id, version } = stored;
  let body: Plan;
  try {
    body = await codec.open(stored.sealed, id, version);
    await requireAllowed(options, body, local, locals);
  } catch (error) {
    if (!isAppError(error)) throw error;
    const name = local?.name ?? "(new)";
    if (local) await change(options, local, { refused: { version, error: error.code } });
    else options.onStrange(error.code);
    onEvent({ type: "plan-refused", vault, plan: name, error });
    return false;
  }
  const synced = { version, hash: hashOf(body) };
  const isSame = local?.plan !== undefined && hashOf(local.plan) === synced.hash;
  const conflict = local?.plan && isEdited && !isSame ? await plans.saveConflict(vault, local.plan) : undefined;
  const known = local && (await memories.read(vault, local.name));
  // Before the file: whoever finds it finds what it is for the server.
  await memories.update(vault, body.name, (stored) => ({
    ...((local?.name === body.name ? stored : known) ?? newMemory(id, now())),
    synced,
    refused: null,
  }));
  if (!isSame) await plans.save(vault, body);
  if (local && local.name !== body.name) {
    await plans.remove(vault, local.name);
    await memories.remove(vault, local.name);
  }
  if (!isSame) tell(options, body.name, conflict);
  return !isSame;
}

/** [Note: programs from a server] Every device of a vault can seal a body, so a body is no proof of who wrote it. */
async function requireAllowed(
  options: PlanSyncOptions,
  body: Plan,
  local: Local | undefined,
  locals: readonly Local[],
): Promise<void> {
  const isTaken = locals.some((each) => each.name === body.name && each.memory.id !== local?.memory.id && each.plan);
  if (isTaken) throw new AppError("plan_exists", { context: { name: body.name } });
  const own = programsOf(local?.plan ?? { hooks: {} });
  if (programsOf(body) === own || (await mayBringPrograms(options))) return;
  throw new AppError("plan_programs_refused", { context: { name: body.name } });
}

async function mayBringPrograms({ vault, plans }: PlanSyncOptions): Promise<boolean> {
  return (await plans.place(vault))?.remotePrograms === "allow";
}

/** `base` 0 makes it. Somebody who was faster is heard of next time. */
async function put(options: PlanSyncOptions, plan: Plan, local: Local, base: number): Promise<void> {
  const { server, codec } = options;
  const { id } = local.memory;
  try {
    const stored = await server.putPlan(id, {
      base,
      sealed: await codec.seal(plan, id, base + 1),
      token: await codec.token(plan.name),
      ...tellableOf(plan),
    });
    await change(options, local, { synced: { version: stored.version, hash: hashOf(plan) }, refused: null });
  } catch (error) {
    if (!isAppError(error, "plan_conflict")) throw error;
  }
}

async function change({ vault, memories }: PlanSyncOptions, local: Local, fields: Partial<PlanMemory>): Promise<void> {
  await memories.update(vault, local.name, (stored = local.memory) => ({ ...stored, ...fields }));
}

async function isListed({ vault, plans }: PlanSyncOptions, name: string): Promise<boolean> {
  return (await plans.list(vault)).some((each) => each.name === name);
}

function tell({ vault, onEvent }: PlanSyncOptions, plan: string, conflict: string | undefined): void {
  onEvent({ type: "plan-taken", vault, plan, conflict });
}

/** Of a plan as the schema gives it, with its fields in their order. */
function hashOf(plan: Plan): string {
  const text = utf8(JSON.stringify(plan));
  return `${crc32c(text).toString(16)}-${text.length}`;
}
