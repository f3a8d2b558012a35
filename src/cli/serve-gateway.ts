// `serve --gateway`: takes uploads of CyberBackup 3 clients into one of the vaults that this process serves. It is loaded only when
// it is asked for: a server without it has nothing in its process that could seal.

import { join } from "node:path";
import { openHome } from "../client/home.ts";
import { AppError } from "../core/errors.ts";
import { checkHead } from "../engine/heads.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { innerPort } from "../server/inner-port.ts";
import type { ServerKit } from "../server/kit.ts";
import type { ServedVault, VaultRegistry } from "../server/vaults.ts";
import type { Context } from "./context.ts";
import { type AdmissionOptions, gatewayAddress } from "./gateway-options.ts";
import { gatewayVaultStore, gatewayWarnings, runGateway, shownAddress } from "./gateway-run.ts";
import { gatewayView } from "./gateway-view.ts";
import { readDevice } from "./open-vault.ts";
import { usage } from "./parse-values.ts";

export type ServedGatewayOptions = AdmissionOptions & {
  /** True when no address is given. */
  readonly gateway: string | true;
  readonly gatewayVault?: string;
};

export type ServedGateway = {
  readonly gateway: Gateway;
  readonly shownAddress: string;
  readonly vault: ServedVault;
  readonly warnings: readonly string[];
};

/** Throws `usage`, `vault_not_found`, `not_enrolled`, `rollback`, and what `startGateway` throws. To be closed before the server. */
export async function startServedGateway(
  context: Context,
  options: ServedGatewayOptions,
  kit: ServerKit,
): Promise<ServedGateway> {
  const listen = gatewayAddress(options.gateway === true ? undefined : options.gateway);
  const vault = chosenVault(kit.vaults, options.gatewayVault);
  const home = openHome(context.config.home, context.logger);
  const device = await readDevice(context, home, { vaultId: vault.id });
  const port = innerPort(kit, vault.id, device.device);
  await checkHead({ vault: port, home });
  const store = await gatewayVaultStore(context, port, device);
  const gateway = await runGateway(context, options, { listen, store, dataDir: join(kit.settings.data, "gateway") });
  kit.gateway.view = gatewayView(gateway, options, vault.id);
  return {
    gateway: {
      ...gateway,
      async close() {
        kit.gateway.view = undefined;
        await gateway.close();
      },
    },
    shownAddress: shownAddress(gateway),
    vault,
    warnings: gatewayWarnings(gateway, options),
  };
}

function chosenVault(vaults: VaultRegistry, name: string | undefined): ServedVault {
  if (name !== undefined) {
    const vault = vaults.byNameOrId(name);
    if (vault === undefined) throw new AppError("vault_not_found", { context: { path: name } });
    return vault;
  }
  const [only, ...others] = vaults.list();
  if (only === undefined) throw usage("--gateway needs a vault to store in, and this server has none yet.");
  if (others.length > 0)
    throw usage("This server has several vaults: --gateway-vault says which one the gateway takes.");
  return only;
}
