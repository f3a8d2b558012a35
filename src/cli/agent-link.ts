// The agent's connection to the server of a vault, as the device that this machine is there. Vaults in folders have none.

import { arch, hostname, platform, release } from "node:os";
import type { AgentEvent } from "../client/agent/agent-event.ts";
import { remoteDeviceServer } from "../client/agent/device-server.ts";
import { reportFiles } from "../client/agent/outbox.ts";
import type { PlanCodec } from "../client/agent/plan-sync.ts";
import { reportingRuns } from "../client/agent/report-run.ts";
import { ServerLink } from "../client/agent/server-link.ts";
import type { VaultAgent } from "../client/agent/vault-agent.ts";
import { openHome } from "../client/home.ts";
import { parseVaultAddress } from "../client/vault-address.ts";
import type { RandomSource } from "../core/clock.ts";
import type { DeviceFile } from "../crypto/device-file.ts";
import { importSigner } from "../crypto/signature.ts";
import { planToken } from "../crypto/tokens.ts";
import { openPlan, sealPlan } from "../engine/plan-seal.ts";
import { readVersion } from "../node/version.ts";
import type { AgentHost } from "./agent-host.ts";
import type { Context } from "./context.ts";
import { reachServer } from "./server-access.ts";

export async function openLink(
  context: Context,
  { plans, memories, timers, random }: AgentHost,
  agent: VaultAgent,
  onEvent: (event: AgentEvent) => void,
): Promise<ServerLink | undefined> {
  const { config, logger, host } = context;
  const address = agent.place && parseVaultAddress(agent.place.vault);
  if (address?.kind !== "server") return undefined;
  const home = openHome(config.home, logger);
  const file = await home.requireDevice(agent.vault);
  const server = reachServer(context, address.origin, await home.server(address.origin));
  const { device, writer } = file;
  const client = server.as(await importSigner(file.signingKey), agent.vault);
  return new ServerLink({
    ...{ agent, timers, random, onEvent },
    server: remoteDeviceServer(client, agent.vault),
    sync: { plans, memories, codec: planCodec(file, random) },
    reports: reportFiles(config.home),
    reportRun: reportingRuns({
      ...{ agent: () => agent, client, vault: agent.vault, device, metaKey: writer.metaKey, random },
      clock: host.clock,
      about: { version: readVersion(), os: platform(), release: release().slice(0, 128), arch: arch() },
      host: hostname(),
    }),
  });
}

export function planCodec({ vault, device, writer }: DeviceFile, random: RandomSource): PlanCodec {
  const { metaKey } = writer;
  return {
    seal: (plan, id, version) => sealPlan(metaKey, { vault, device, id, version }, plan, random),
    open: (sealed, id, version) => openPlan(metaKey, { vault, device, id, version }, sealed),
    token: (name) => planToken(metaKey, name),
  };
}
