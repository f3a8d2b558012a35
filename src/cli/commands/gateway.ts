// `gateway`: takes uploads of CyberBackup 3 clients into a vault, or into a folder as the old server did. Needs writer secrets only.

import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { Command } from "commander";
import { PORTS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../../gateway/gateway.ts";
import { parsePortInfo, parseServerAddress, type ServerAddress } from "../../gateway/old-files.ts";
import { openPlainStore } from "../../gateway/plain-store.ts";
import type { UploadStore } from "../../gateway/upload-store.ts";
import { createVaultStore } from "../../gateway/vault-store.ts";
import { programName } from "../../node/version.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, plural } from "../format-bytes.ts";
import { withVault } from "../open-vault.ts";
import { collect, usage } from "../parse-values.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { shownText } from "../shown-path.ts";
import { LEVELS } from "./backup.ts";
import { dataFolder, defineClients } from "./gateway-clients.ts";

type Options = {
  readonly listen?: string;
  readonly portInfo?: string;
  readonly store: "vault" | "plain";
  readonly dir?: string;
  readonly data?: string;
  readonly allowName?: readonly string[];
  readonly allowNetwork?: readonly string[];
  readonly retire?: readonly string[];
  readonly answerResend?: boolean;
};

const LOOPBACK = "127.0.0.1";

export function define(command: Command, cli: Cli): void {
  command
    .option("--listen <address>", `Address and port to listen on (default: ${LOOPBACK}:${PORTS.gateway.value}).`)
    .option("--port-info <file>", "Take the port from an old server's port.info.")
    .option("--store <where>", "vault, or plain: files in --dir, not encrypted, as the old server kept them.", "vault")
    .option("--dir <folder>", "Folder for --store plain.")
    .option("--data <folder>", "Folder of the registered clients (default: gateway in the home folder).")
    .option("--allow-name <name>", "Serve this user only; may be repeated.", collect)
    .option("--allow-network <cidr>", "Serve this address or network only; may be repeated.", collect)
    .option("--retire <name=date>", "Refuse this user from that day on, such as shop=2027-06-30.", collect)
    .option("--answer-resend", "Answer 1030 with 1604, for clients that wait for it.")
    .addOption(settingOption("writerFile"))
    .addOption(settingOption("compression"))
    .addOption(settingOption("packSizeMiB"))
    .action(action(cli, run));
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
  const listen = await addressOf(options);
  if (options.store === "plain") {
    if (options.dir === undefined) throw usage("--store plain needs --dir.");
    await serve(context, options, listen, await openPlainStore(options.dir));
  } else if (options.store === "vault") {
    if (options.dir !== undefined) throw usage("--dir goes with --store plain.");
    await withVault(
      context,
      async (opened) => {
        const { config } = context;
        const { writer } = await opened.device();
        const store = createVaultStore({
          vault: opened.vault,
          device: { writer, signer: await opened.signer() },
          compressionLevel: LEVELS[config.compression],
          packBytes: config.packSizeMiB * 2 ** 20,
          program: programName(),
        });
        await serve(context, options, listen, store);
      },
      { trustBlockHashes: true },
    );
  } else throw usage("--store takes vault or plain.");
}

/** Until the first Ctrl-C. */
async function serve(context: Context, options: Options, listen: ServerAddress, store: UploadStore): Promise<void> {
  const { host, logger, output } = context;
  const gateway = await startGateway({
    listen,
    store,
    dataDir: dataFolder(context, options),
    admission: { names: options.allowName, networks: options.allowNetwork, retire: options.retire },
    answerResend: options.answerResend === true,
    clock: host.clock,
    random: host.random,
    logger,
  } satisfies GatewayOptions);
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
  if (listen === undefined) return { host: LOOPBACK, port: PORTS.gateway.value };
  const free = /^(.*):0$/.exec(listen)?.[1];
  const address = free === undefined ? parseServerAddress(listen) : { host: free.replace(/^\[|\]$/g, ""), port: 0 };
  if (!address || address.host === "")
    throw usage(`${shownText(listen)} is no address and port such as ${LOOPBACK}:0.`);
  return address;
}

function announce({ output }: Context, options: Options, { address }: Gateway, store: UploadStore): void {
  const { host, port } = address;
  const warnings = [
    "Protocol 3 is weak: nobody proves who they are, and what it encrypts can be broken (docs/protocol-v3.md).",
    ...(isLoopback(host)
      ? []
      : [`It is open to other machines at ${host}. Use it on a network that you trust, and not for long.`]),
    ...(isLoopback(host) || options.allowNetwork || options.allowName
      ? []
      : ["Everybody who reaches it may register: --allow-network and --allow-name narrow that."]),
    ...(options.store === "plain" ? ["Files are stored without encryption."] : []),
    ...(options.retire ? [] : ["No user has a date on which they are retired: --retire sets one."]),
  ];
  for (const warning of warnings) output.warn(warning);
  const shown = isIP(host) === 6 ? `[${host}]` : host;
  output.print(`Listening for CyberBackup 3 clients on ${shown}:${port}; storing in the ${store.description}.`);
  output.json({ type: "started", command: "gateway", host, port, store: options.store, warnings });
  output.flush();
}

function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1";
}

async function stopAsked(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
