// `gateway`: takes uploads of CyberBackup 3 clients into a vault, or into a folder as the old server did. Needs writer secrets only.

import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { PORTS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { parsePortInfo, type ServerAddress } from "../../gateway/old-files.ts";
import { openPlainStore } from "../../gateway/plain-store.ts";
import type { UploadStore } from "../../gateway/upload-store.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, plural } from "../format-bytes.ts";
import { type AdmissionOptions, addGatewayOptions, gatewayAddress, LOOPBACK } from "../gateway-options.ts";
import { gatewayVaultStore, gatewayWarnings, runGateway, shownAddress } from "../gateway-run.ts";
import { withVault } from "../open-vault.ts";
import { usage } from "../parse-values.ts";
import { addExamples, type Cli } from "../program.ts";
import { openServiceLog } from "../service-log.ts";
import { dataFolder, defineClients } from "./gateway-clients.ts";

type Options = AdmissionOptions & {
  readonly listen?: string;
  readonly portInfo?: string;
  readonly store: "vault" | "plain";
  readonly dir?: string;
  readonly data?: string;
};

export function define(command: Command, cli: Cli): void {
  command
    .option("--listen <address>", `Address and port to listen on (default: ${LOOPBACK}:${PORTS.gateway.value}).`)
    .option("--port-info <file>", "Take the port from an old server's port.info.")
    .option("--store <where>", "vault, or plain: files in --dir, not encrypted, as the old server kept them.", "vault")
    .option("--dir <folder>", "Folder for --store plain.")
    .option("--data <folder>", "Folder of the registered clients (default: gateway in the home folder).");
  addGatewayOptions(command).action(action(cli, run));
  addExamples(command, [
    ["cyberbackup gateway --vault V --writer-file w.txt", "for clients on this machine"],
    [
      `cyberbackup gateway --listen 192.0.2.7:${PORTS.gateway.value} --allow-network 192.0.2.0/24 --retire shop=2027-06-30`,
      "for a network that you trust, as long as the move takes",
    ],
    ["cyberbackup gateway --store plain --dir received_files", "in place of an old server"],
  ]);
  defineClients(command, cli);
}

async function run(context: Context, options: Options): Promise<undefined> {
  const log = await openServiceLog(context, "gateway", context.config.home);
  try {
    return await runLogged({ ...context, logger: log.logger }, options);
  } finally {
    await log.close();
  }
}

async function runLogged(context: Context, options: Options): Promise<undefined> {
  const listen = await addressOf(options);
  if (options.store === "plain") {
    if (options.dir === undefined) throw usage("--store plain needs --dir.");
    await serve(context, options, listen, await openPlainStore(options.dir));
  } else if (options.store === "vault") {
    if (options.dir !== undefined) throw usage("--dir goes with --store plain.");
    await withVault(
      context,
      async (opened) => {
        const store = await gatewayVaultStore(context, opened.vault, await opened.device());
        await serve(context, options, listen, store);
      },
      { trustBlockHashes: true },
    );
  } else throw usage("--store takes vault or plain.");
}

/** Until the first Ctrl-C. */
async function serve(context: Context, options: Options, listen: ServerAddress, store: UploadStore): Promise<void> {
  const { host, output } = context;
  const gateway = await runGateway(context, options, { listen, store, dataDir: dataFolder(context, options) });
  try {
    announce(context, options, gateway, store);
    await stopAsked(host.signal);
  } finally {
    await gateway.close();
  }
  const { stored, refused, receivedBytes } = gateway.stats();
  output.say(`${plural(stored, "file")} stored, ${formatBytes(receivedBytes)} received.`);
  output.json({ type: "summary", command: "gateway", stored, refused, receivedBytes });
}

async function addressOf({ listen, portInfo }: Options): Promise<ServerAddress> {
  if (listen !== undefined && portInfo !== undefined) throw usage("--listen and --port-info exclude each other.");
  if (portInfo !== undefined) {
    const content = await readFile(portInfo).catch((cause: NodeJS.ErrnoException) => {
      throw new AppError("io", { cause, context: { path: portInfo, detail: `${cause.code ?? "unknown error"}.` } });
    });
    return { host: LOOPBACK, port: parsePortInfo(content) ?? PORTS.gateway.value };
  }
  return gatewayAddress(listen);
}

function announce({ output }: Context, options: Options, gateway: Gateway, store: UploadStore): void {
  const { host, port } = gateway.address;
  const warnings = [
    ...gatewayWarnings(gateway, options),
    ...(options.store === "plain" ? ["Files are stored without encryption."] : []),
  ];
  for (const warning of warnings) output.warn(warning);
  output.print(`Listening for CyberBackup 3 clients on ${shownAddress(gateway)}; storing in the ${store.description}.`);
  output.json({ type: "started", command: "gateway", host, port, store: options.store, warnings });
  output.flush();
}

async function stopAsked(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
