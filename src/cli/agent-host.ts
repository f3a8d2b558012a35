// The agent's world on this machine: its files, its clock, its vaults. `agent` and `plan` share it.

import { join } from "node:path";
import type { AgentOptions } from "../client/agent/agent.ts";
import type { AgentEvent } from "../client/agent/agent-event.ts";
import { pauseFiles } from "../client/agent/pauses.ts";
import { planFiles } from "../client/agent/plan-files.ts";
import { memoryFiles } from "../client/agent/plan-memory.ts";
import { isOnBattery } from "../client/agent/power.ts";
import { systemTimers } from "../client/agent/timers.ts";
import { VaultAgent } from "../client/agent/vault-agent.ts";
import { watchPlanFiles } from "../client/agent/watch-files.ts";
import type { VaultId } from "../core/ids.ts";
import { agentBackUp } from "./agent-backup.ts";
import type { Context } from "./context.ts";
import { takeHold } from "./hold-file.ts";

export type AgentHost = Omit<AgentOptions, "onEvent" | "openLink">;

export function agentHost(context: Context): AgentHost {
  const { config, host } = context;
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return {
    plans: planFiles(config.home),
    memories: memoryFiles(config.home),
    pauses: pauseFiles(config.home),
    timers: { ...systemTimers, clock: host.clock },
    random: host.random,
    backUp: agentBackUp(context, timeZone),
    takeHold: (vault) => takeHold(join(config.home, "agent", vault, ".run.lock")),
    env: host.env,
    timeZone,
    isOnBattery: () => isOnBattery(),
    watchFiles: (onChange) => watchPlanFiles(config.home, onChange),
  };
}

/** One vault's plans, for commands that look or run one: nothing is begun by itself. */
export async function openVaultAgent(
  context: Context,
  vault: VaultId,
  onEvent: (event: AgentEvent) => void = () => undefined,
  more: Partial<ConstructorParameters<typeof VaultAgent>[0]> = {},
): Promise<VaultAgent> {
  const { takeHold: take, ...shared } = agentHost(context);
  const agent = new VaultAgent({
    ...shared,
    vault,
    takeHold: () => take(vault),
    poke: () => undefined,
    onEvent,
    ...more,
  });
  await agent.load();
  return agent;
}

/** The lock that an agent holds for as long as it runs. */
export function takeAgentHold({ config }: Pick<Context, "config">): ReturnType<typeof takeHold> {
  return takeHold(join(config.home, "agent", ".agent.lock"));
}
