// A gateway from the settings of this run, for `gateway` and `serve --gateway`: its store over a vault, its start, and what has to
// be said of it to whoever starts it.

import { isIP } from "node:net";
import type { DeviceFile } from "../client/home.ts";
import { mapLargeBuffers } from "../client/posix.ts";
import { importSigner } from "../crypto/signature.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../gateway/gateway.ts";
import type { UploadStore } from "../gateway/upload-store.ts";
import { createVaultStore } from "../gateway/vault-store.ts";
import { programName } from "../node/version.ts";
import type { VaultPort } from "../wire/v4/vault-port.ts";
import { LEVELS } from "./commands/backup.ts";
import type { Context } from "./context.ts";
import type { AdmissionOptions } from "./gateway-options.ts";

const LARGE_BUFFER_BYTES = 2 ** 20;

/** The vault stays the caller's to close. */
export async function gatewayVaultStore(
  { config }: Pick<Context, "config">,
  vault: VaultPort,
  device: DeviceFile,
): Promise<UploadStore> {
  // Blocks travel between threads: without this each one's arena keeps some for itself.
  mapLargeBuffers(LARGE_BUFFER_BYTES);
  return createVaultStore({
    vault,
    device: { writer: device.writer, signer: await importSigner(device.signingKey) },
    compressionLevel: LEVELS[config.compression],
    packBytes: config.packSizeMiB * 2 ** 20,
    program: programName(),
  });
}

/** Throws what `startGateway` throws. */
export function runGateway(
  { host, logger }: Pick<Context, "host" | "logger">,
  options: AdmissionOptions,
  place: Pick<GatewayOptions, "listen" | "store" | "dataDir">,
): Promise<Gateway> {
  return startGateway({
    ...place,
    admission: { names: options.allowName, networks: options.allowNetwork, retire: options.retire },
    answerResend: options.answerResend === true,
    clock: host.clock,
    random: host.random,
    logger,
  });
}

export function gatewayWarnings({ address: { host } }: Gateway, options: AdmissionOptions): string[] {
  return [
    "Protocol 3 is weak: nobody proves who they are, and what it encrypts can be broken (docs/protocol-v3.md).",
    ...(isLoopback(host)
      ? []
      : [`It is open to other machines at ${host}. Use it on a network that you trust, and not for long.`]),
    ...(isLoopback(host) || options.allowNetwork || options.allowName
      ? []
      : ["Everybody who reaches it may register: --allow-network and --allow-name narrow that."]),
    ...(options.retire ? [] : ["No user has a date on which they are retired: --retire sets one."]),
  ];
}

export function shownAddress({ address: { host, port } }: Gateway): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

export function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1";
}
