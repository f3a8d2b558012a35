// `up`: from nothing to a server that runs in the background, step by step: runtime, page, data folder, settings, server, health. Run
// again it starts nothing twice. It ends no process but one that it has started itself and that did not become ready.

import { spawn } from "node:child_process";
import { mkdir, rm, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { socketTransport } from "../../client/http/node-transport.ts";
import { AppError } from "../../core/errors.ts";
import { exchange } from "../../engine/remote/exchange.ts";
import { writeFileAtomic } from "../../node/atomic-file.ts";
import { localSocketPath } from "../../node/local-socket.ts";
import { findRunning, type Instance } from "../../server/instance.ts";
import { serverSettings } from "../../server/settings.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { startInBackground } from "../background-server.ts";
import { browserCommand } from "../browser.ts";
import { action, type Context } from "../context.ts";
import { runtime } from "../doctor-checks.ts";
import { formatBytes } from "../format-bytes.ts";
import { givenFlags } from "../given-flags.ts";
import { renewPage } from "../page-build.ts";
import { addExamples, type Cli } from "../program.ts";
import { logFolder } from "../service-log.ts";
import { shownText } from "../shown-path.ts";
import { stagesOf } from "../stages.ts";
import { addServeOptions } from "./serve.ts";

type Options = { readonly open: boolean };

/** A probe of the folder: more than a file system gives away in one piece. */
const PROBE_BYTES = 64 * 1024;
/** What a server keeps from its first start on. */
const REMEMBERED = ["listen", "listenHttp", "gateway", "gatewayVault", "publicUrl", "trustProxy"] as const;
const OWN_OPTIONS = ["open"];

export function define(command: Command, cli: Cli): void {
  addServeOptions(command)
    .option("--no-open", "Do not open a browser.")
    .action(action(cli, (context, options: Options) => run(context, options, givenFlags(command, OWN_OPTIONS))));
  addExamples(command, [
    ["cyberbackup up", "a server with its data in the home folder"],
    ["cyberbackup up --data /srv/backup --no-open", "with a data folder of its own; no browser"],
    ["cyberbackup up --gateway --writer-file w.txt", "with a gateway for version 3 clients on this machine"],
  ]);
}

async function run(context: Context, options: Options, flags: readonly string[]): Promise<undefined> {
  const { output } = context;
  const stage = stagesOf(context);
  const settings = serverSettings(context.config);
  const data = resolve(settings.data);
  await stage("runtime", checkRuntime);
  if (settings.web)
    await stage("page", async () => ({ detail: await renewPage(context), value: undefined }), "building the page");
  await stage("folder", () => makeFolder(data, settings.reserveBytes));
  const config = await stage("settings", () => makeSettings(context, data));
  const { started, told } = await stage("server", () => startServer(context, data, flags), "the server starts");
  const instance = await stage("health", () => checkHealth(context, data));
  const setup = told ?? (await askSetupLink(context, instance));
  const { address, fingerprint } = instance;
  const logs = logFolder(context.config, data);
  output.say("");
  output.say(`The server is at ${output.paint.bold(address)}`);
  const here = addressHere(instance);
  if (here !== address) output.say(`On this machine  ${here}`);
  if (fingerprint !== undefined) output.say(`Fingerprint      ${fingerprint}`);
  if (instance.gateway !== undefined) output.say(`Gateway          ${instance.gateway}`);
  if (setup !== undefined) sayHowToOwn(context, data, setup, instance);
  output.say("");
  output.say(`Look: cyberbackup status   Logs: cyberbackup logs -f   Stop: cyberbackup down`);
  const { pid, version, page, gateway } = instance;
  output.json({
    ...{ type: "result", command: "up", pid, version, address, page, started, data, config, logs },
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(setup === undefined ? {} : { setup }),
  });
  if (options.open && instance.page) openBrowser(context, here + (setup ?? address).slice(address.length));
  return undefined;
}

async function checkRuntime() {
  const { state, detail, advice } = runtime();
  if (state === "problem") throw new AppError("runtime_old", { context: { detail, advice: advice ?? "" } });
  return { detail, value: undefined };
}

/** Throws `io`, `disk_full`. */
async function makeFolder(data: string, reserveBytes: number) {
  const probe = join(data, "tmp", `probe-${process.pid}`);
  try {
    await mkdir(join(data, "tmp"), { recursive: true, mode: 0o700 });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOSPC") throw new AppError("disk_full", { cause, context: { path: data } });
    throw new AppError("folder_unusable", { cause, context: { path: data, detail: message } });
  }
  try {
    await writeFileAtomic(probe, new Uint8Array(PROBE_BYTES));
  } finally {
    await rm(probe, { force: true });
  }
  const { bavail, bsize } = await statfs(data);
  const free = bavail * bsize;
  const isLow = free < reserveBytes;
  const low = `, less than the ${formatBytes(reserveBytes)} that are kept free: backups are refused until there is more`;
  return { detail: `${shownText(data)}, ${formatBytes(free)} free${isLow ? low : ""}`, value: undefined };
}

/** Makes the settings file where there is none, of what this start was told; one that is there is left alone. */
async function makeSettings({ config, resolved }: Context, data: string) {
  if (resolved.file !== undefined) return { detail: shownText(resolved.file), value: resolved.file };
  const file = join(config.home, "config.json");
  const told = REMEMBERED.filter((key) => resolved.origins[key].startsWith("flag")).map((key) => [key, config[key]]);
  const isElsewhere = resolved.origins.data.startsWith("flag");
  const settings = Object.fromEntries([...(isElsewhere ? [["data", data]] : []), ...told]);
  await writeFileAtomic(file, `${JSON.stringify(settings, undefined, 2)}\n`);
  return { detail: `${shownText(file)} (new)`, value: file };
}

async function startServer(context: Context, data: string, flags: readonly string[]) {
  const running = await findRunning(data);
  if (running !== undefined) {
    const as = running.holder === undefined ? "" : ` as process ${running.holder.pid}`;
    const later = flags.length === 0 ? "" : "; other options than before count after `cyberbackup down`";
    return { detail: `runs already${as}${later}`, value: { started: false, told: undefined } };
  }
  // Quiet, for its events go to its log files; what it prints is not rotated while it runs.
  const { pid, setup } = await startInBackground(context, data, ["--quiet", "--data", data, ...flags]);
  return { detail: `started as process ${pid}`, value: { started: true, told: setup } };
}

/** One that another `up` has just started may not have said yet where it is. */
async function checkHealth({ host, config }: Context, data: string): Promise<{ detail: string; value: Instance }> {
  const transport = socketTransport(localSocketPath(data));
  let isDegraded: boolean;
  try {
    const { value } = await exchange(transport, PEOPLE_ROUTES.ready, { signal: host.signal });
    isDegraded = value.status === "degraded";
  } finally {
    await transport.close();
  }
  const instance = (await findRunning(data))?.instance;
  if (instance === undefined)
    throw new AppError("start_failed", {
      context: { detail: "it is just starting, or it stops. Try again in a moment.", log: logFolder(config, data) },
    });
  const more = isDegraded ? "; something needs attention: cyberbackup server status says what" : "";
  return { detail: `it takes requests (version ${instance.version})${more}`, value: instance };
}

async function askSetupLink({ host }: Context, { socket, address }: Instance): Promise<string | undefined> {
  const transport = socketTransport(socket);
  try {
    const { value } = await exchange(transport, PEOPLE_ROUTES.setupLink, { signal: host.signal });
    return value.path === null ? undefined : address + value.path;
  } finally {
    await transport.close();
  }
}

/** Browsers take localhost for safe without TLS, and so do not warn of a certificate that the server has made itself. */
function addressHere({ address, httpPort, fingerprint }: Instance): string {
  return httpPort === undefined || fingerprint === undefined ? address : `http://localhost:${httpPort}`;
}

function sayHowToOwn({ output }: Context, data: string, setup: string, { page }: Instance): void {
  output.say("");
  if (page) {
    output.say("Nobody owns it yet. Make the first owner's account by this link, which is good once:");
    output.say(`  ${setup}`);
    output.say("or without a browser:");
  } else output.say("Nobody owns it yet. Make the first owner's account:");
  output.say(`  cyberbackup server setup --data '${shownText(data)}' --email YOU@EXAMPLE.ORG`);
}

function openBrowser({ host, output }: Context, address: string): void {
  const command = output.isJson || !host.stdout.isTTY ? undefined : browserCommand(host, address);
  if (command === undefined) return;
  const child = spawn(command.file, command.args, { detached: true, stdio: "ignore", windowsHide: true });
  child.on("error", () => undefined);
  child.unref();
  output.say("Opening it in your browser.");
}
