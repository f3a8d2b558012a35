// `serve`: the server in this terminal, or under a service manager. It says what happens, a line for each event, until it is asked
// to stop; then running uploads may end.

import { hostname } from "node:os";
import type { Command } from "commander";
import { systemRandom } from "../../core/clock.ts";
import { PORTS } from "../../core/config-schema.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import type { LogView } from "../../node/log/tail.ts";
import { readVersion } from "../../node/version.ts";
import { type RunningServer, startServer } from "../../server/app.ts";
import { type Instance, removeInstance, writeInstance } from "../../server/instance.ts";
import type { ServerEvent } from "../../server/kit.ts";
import { openBundle } from "../../server/page/bundle.ts";
import { type Endpoint, type ServerSettings, serverSettings } from "../../server/settings.ts";
import { logDevices } from "../../vault/server-queries.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, plural } from "../format-bytes.ts";
import { formatDuration, formatTime, isoTime } from "../format-time.ts";
import { addGatewayOptions, LOOPBACK } from "../gateway-options.ts";
import type { ServeEventJson } from "../json-schema.ts";
import { usage } from "../parse-values.ts";
import { problemWords } from "../problem-words.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import type { ServedGateway, ServedGatewayOptions } from "../serve-gateway.ts";
import { openServiceLog } from "../service-log.ts";
import { shownText } from "../shown-path.ts";

export type ServeOptions = Omit<ServedGatewayOptions, "gateway"> & Partial<Pick<ServedGatewayOptions, "gateway">>;

const SETTINGS = [
  "data",
  "listen",
  "listenHttp",
  "tlsCert",
  "tlsKey",
  "trustProxy",
  "publicUrl",
  "proxyCertificate",
  "reserveMiB",
] as const;

/** What says how a server runs, for `up` too. */
export function addServeOptions(command: Command): Command {
  for (const key of SETTINGS) command.addOption(settingOption(key));
  command
    .option("--no-web", "Do not serve the page.")
    .option("--gateway [address:port]", `Take version 3 uploads too (default: at ${LOOPBACK}:${PORTS.gateway.value}).`)
    .addOption(settingOption("gatewayVault"));
  return addGatewayOptions(command);
}

export function define(command: Command, cli: Cli): void {
  addServeOptions(command).action(action(cli, run));
  addExamples(command, [
    ["cyberbackup serve --data /srv/backup", "serve over TLS, with a certificate of its own"],
    ["cyberbackup serve --trust-proxy on --public-url https://backup.example.org", "behind a proxy that does TLS"],
    ["cyberbackup serve --gateway --writer-file w.txt", "with a gateway for version 3 clients on this machine"],
    ["cyberbackup serve --json", "an event a line, for a log collector"],
  ]);
}

async function run(context: Context, given: ServeOptions): Promise<undefined> {
  const options = withGatewaySettings(context, given);
  requireGatewayOptions(given, options.gateway !== undefined);
  const settings = serverSettings(context.config);
  const log = await openServiceLog(context, "server", settings.data);
  try {
    return await serve({ ...context, logger: log.logger }, options, settings, log);
  } finally {
    await log.close();
  }
}

async function serve(
  context: Context,
  options: ServeOptions,
  settings: ServerSettings,
  log: LogView,
): Promise<undefined> {
  const { host, output, logger } = context;
  const early: ServerEvent[] = [];
  const asked = new AbortController();
  let tell = (event: ServerEvent): void => void early.push(event);
  const server = await startServer({
    settings,
    clock: host.clock,
    random: host.random,
    logger,
    log,
    onEvent: (event) => tell(event),
    onStopAsked: () => asked.abort(),
  });
  let served: ServedGateway | undefined;
  try {
    served = await gatewayOf(context, options, server);
    const instance = instanceOf(server, settings.listen, served);
    await writeInstance(settings.data, instance);
    sayHello(context, server, instance, served);
    tell = (event) => sayEvent(context, server, event);
    for (const event of early) tell(event);
    const { length: vaults } = server.kit.vaults.list();
    logger.info("the server is up", { vaults, hasGateway: served !== undefined, pid: process.pid });
    await untilAborted(AbortSignal.any([host.signal, asked.signal]));
  } finally {
    await removeInstance(settings.data);
    // While the vaults are still open: what is being committed gets its end.
    await served?.gateway.close();
    const { size } = server.kit.running;
    if (size > 0) output.note(`Waiting for ${plural(size, "request")} to end.`);
    await server.stop();
    logger.info("the server has stopped");
  }
  output.json({ type: "result", command: "serve", stopped: true });
  output.say("Stopped.");
  return undefined;
}

/** `--gateway` alone takes the address of the settings; a setting alone switches it on. */
function withGatewaySettings({ config }: Context, options: ServeOptions): ServeOptions {
  const { gateway = config.gateway, gatewayVault = config.gatewayVault } = options;
  const address = gateway === true ? (config.gateway ?? true) : gateway;
  return {
    ...options,
    ...(address === undefined ? {} : { gateway: address === "on" ? true : address }),
    ...(gatewayVault === undefined ? {} : { gatewayVault }),
  };
}

/** What is for the gateway alone means nothing without it. */
function requireGatewayOptions(options: ServeOptions, hasGateway: boolean): void {
  if (hasGateway) return;
  const { gatewayVault, allowName, allowNetwork, retire, answerResend } = options;
  if ([gatewayVault, allowName, allowNetwork, retire, answerResend].some((given) => given !== undefined))
    throw usage("--gateway-vault, --allow-name, --allow-network, --retire and --answer-resend go with --gateway.");
}

/** Its code comes in only here: a server without a gateway has nothing in its process that seals. */
async function gatewayOf(
  context: Context,
  { gateway, ...options }: ServeOptions,
  { kit }: RunningServer,
): Promise<ServedGateway | undefined> {
  if (gateway === undefined) return undefined;
  const { startServedGateway } = await import("../serve-gateway.ts");
  return startServedGateway(context, { ...options, gateway }, kit);
}

function instanceOf(
  { kit, port, httpPort, socketPath }: RunningServer,
  listen: Endpoint | undefined,
  served: ServedGateway | undefined,
): Instance {
  const { publicUrl, web } = kit.settings;
  const own = port === undefined ? `http://127.0.0.1:${httpPort}` : `https://${shownHost(listen!.host)}:${port}`;
  const { pin } = kit.identity();
  return {
    pid: process.pid,
    version: readVersion(),
    address: publicUrl ?? own,
    ...(pin === undefined ? {} : { fingerprint: pin }),
    ...(port === undefined ? {} : { port }),
    ...(httpPort === undefined ? {} : { httpPort }),
    socket: socketPath,
    ...(served === undefined ? {} : { gateway: served.shownAddress }),
    page: web && openBundle(systemRandom).isThere(),
  };
}

function sayHello(
  { output, host }: Context,
  server: RunningServer,
  { address, fingerprint: pin }: Instance,
  served: ServedGateway | undefined,
): void {
  const { kit, port, httpPort, socketPath } = server;
  const { data } = kit.settings;
  const setupPath = server.setupPath();
  const setup = setupPath === undefined ? undefined : address + setupPath;
  const vaults = kit.vaults.list();
  output.say(`Serving ${plural(vaults.length, "vault")} of ${shownText(data)} at ${address}`);
  if (pin !== undefined) output.say(`Fingerprint ${pin}`);
  for (const { name, problem } of vaults) if (problem) output.warn(`${shownText(name)}: ${problem.message}`);
  // `up` gets the link for itself: what a server in the background says ends up in a file.
  if (setup !== undefined && !host.tellParent) sayHowToOwn(output, data, setup, pin);
  if (served !== undefined) {
    for (const warning of served.warnings) output.warn(warning);
    output.say(
      `Listening for CyberBackup 3 clients on ${served.shownAddress}; storing in the vault ${shownText(served.vault.name)}.`,
    );
  }
  const started = {
    type: "started",
    command: "serve",
    address,
    ...(port === undefined ? {} : { port }),
    ...(httpPort === undefined ? {} : { httpPort }),
    ...(pin === undefined ? {} : { fingerprint: pin }),
    ...(setup === undefined ? {} : { setup }),
    socket: socketPath,
    vaults: vaults.map(({ id, name, problem }) => ({ id, name, ...(problem ? { problem: problem.message } : {}) })),
    ...(served === undefined ? {} : { gateway: gatewayJson(served) }),
  } as const;
  output.json(started);
  output.flush();
  void host.tellParent?.(started);
}

/** By the page, or by a command where there is no browser. */
function sayHowToOwn(output: Context["output"], data: string, setup: string, pin: string | undefined): void {
  output.say("Nobody owns this server yet. Open this link, which is good once, in a browser:");
  output.say(`  ${setup}`);
  output.say("or make the first owner's account on this machine:");
  output.say(`  cyberbackup server setup --data '${shownText(data)}' --email YOU@EXAMPLE.ORG`);
  if (pin !== undefined) output.say("From another machine: cyberbackup server setup --link … --fingerprint …");
}

function gatewayJson({ gateway, vault, warnings }: ServedGateway) {
  return { ...gateway.address, vault: vault.id, warnings: [...warnings] };
}

/** Where it listens on all addresses, its name is what others use. */
function shownHost(listened: string): string {
  if (listened === "0.0.0.0" || listened === "::") return hostname();
  return listened.includes(":") ? `[${listened}]` : listened;
}

function sayEvent({ output, host }: Context, server: RunningServer, event: ServerEvent): void {
  const told = describe(event);
  if (told === undefined) return;
  const now = host.clock.now();
  const names = namesOf(server, event);
  const who = [names.vaultName, names.deviceName].filter((name) => name !== undefined).map(shownText);
  const words = told.isProblem ? output.paint.red(told.words) : told.words;
  output.say([output.paint.dim(formatTime(now)), ...who, words].join("  "));
  const json: ServeEventJson = {
    type: "event",
    command: "serve",
    time: isoTime(now),
    event: event.type,
    ...names,
    ...told.json,
  };
  output.json(json);
  output.flush();
}

type Told = { readonly words: string; readonly isProblem?: boolean; readonly json: Partial<ServeEventJson> };

/** undefined for what is not worth a line. */
function describe(event: ServerEvent): Told | undefined {
  switch (event.type) {
    case "device-login":
      return { words: "logged in", json: {} };
    case "session-open":
      return { words: "backup begins", json: { session: event.session } };
    case "session-refused": {
      const words = `backup refused: ${problemWords(event.code)}`;
      return { words, isProblem: true, json: { session: event.session, detail: event.code } };
    }
    case "alert-raised":
    case "alert-cleared": {
      const isRaised = event.type === "alert-raised";
      const words = `${isRaised ? "needs attention" : "is over"}: ${event.alert.kind.replaceAll("-", " ")}`;
      return { words, isProblem: isRaised, json: { detail: event.alert.kind } };
    }
    case "session-close":
      return { words: "backup ends without a snapshot", json: { session: event.session } };
    case "pack": {
      const { session, sizeBytes, durationMs } = event;
      const words = `stored ${formatBytes(sizeBytes)} in ${formatDuration(durationMs)}`;
      return { words, json: { session, bytes: sizeBytes, durationMs: Math.round(durationMs) } };
    }
    case "commit":
      return { words: `snapshot ${event.snapshot.slice(0, 12)}`, json: { snapshot: event.snapshot } };
    case "enrolled":
      return { words: "enrolled", json: {} };
    case "statement":
      return { words: event.statement, json: { detail: event.statement } };
    case "vault-made":
      return { words: "vault made", json: {} };
    case "job":
      return {
        words: `${event.kind} ${event.state}`,
        isProblem: event.state === "failed",
        json: { detail: `${event.kind} ${event.state}` },
      };
    case "request":
      if (event.status < 500 || event.status === 503) return undefined;
      // That a backup was refused is said by itself.
      if (event.route === "openSession" && event.status === 507) return undefined;
      return { words: `${event.route} failed`, isProblem: true, json: { detail: `${event.route} ${event.status}` } };
  }
}

function namesOf(
  { kit }: RunningServer,
  event: ServerEvent,
): Pick<ServeEventJson, "vault" | "vaultName" | "device" | "deviceName"> {
  if (!("vault" in event) || event.vault === undefined) return {};
  const vault: VaultId = event.vault;
  const served = kit.vaults.byNameOrId(vault);
  const device: DeviceId | undefined = "device" in event ? event.device : undefined;
  const known = device && served?.problem === undefined ? logDevices(served!.vault.context).get(device) : undefined;
  return {
    vault,
    ...(served === undefined ? {} : { vaultName: served.name }),
    ...(device === undefined ? {} : { device }),
    ...(known === undefined ? {} : { deviceName: known.name }),
  };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  // A listener alone does not keep a process alive, and a server without doors would be none; its doors do.
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
