// `web`: serves the page alone, for a server elsewhere, so that a careful person can host the code that opens their files apart from
// the data. It holds no key and no data.

import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { openHome } from "../../client/home.ts";
import { connectingAgent } from "../../client/http/node-transport.ts";
import { LIMITS, PORTS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import { type Listener, listenPlain, listenTls } from "../../server/http/listener.ts";
import { isLoopback, parseEndpoint } from "../../server/settings.ts";
import { action, type Context } from "../context.ts";
import { pageDispatch } from "../page-server.ts";
import { usage } from "../parse-values.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { pinSetting } from "../server-access.ts";
import { serverOrigin } from "../server-origin.ts";
import { shownText } from "../shown-path.ts";
import { trustedPin } from "../trusted-pin.ts";

type Options = { readonly server?: string; readonly listen?: string };

const USUAL = `127.0.0.1:${PORTS.page.value}`;

export function define(command: Command, cli: Cli): void {
  command
    .option("--server <url>", "The server, as https://host:port (default: that of the vault).")
    .option("--listen <address:port>", `Where the page is served (default: ${USUAL}, for this machine).`)
    .addOption(settingOption("serverPin"));
  for (const key of ["tlsCert", "tlsKey", "publicUrl"] as const) command.addOption(settingOption(key));
  command.action(action(cli, run));
  addExamples(command, [
    ["cyberbackup web --server https://backup.example.org", `then open http://localhost:${PORTS.page.value}`],
    [
      `cyberbackup web --server https://nas:${PORTS.deviceApi.value} --listen 0.0.0.0:443 --tls-cert c.pem --tls-key k.pem`,
      "for other machines, over TLS",
    ],
  ]);
}

async function run(context: Context, options: Options): Promise<undefined> {
  const { config, host, logger, output } = context;
  const server = serverOrigin(context, options.server);
  const known = await openHome(config.home, logger).server(server);
  const pin = pinSetting(config.serverPin) ?? known?.pin ?? (await trustedPin(context, server));
  const agent = connectingAgent(
    { origin: server, pin },
    { clock: host.clock, connections: LIMITS.passedConnections.value },
  );
  const origins = new Set<string>();
  const dispatch = pageDispatch({ server, agent, origins, random: host.random, logger });
  const listener = await listen(context, options.listen ?? USUAL, dispatch);
  try {
    const isEncrypted = config.tlsCert !== undefined;
    const { host: name } = parseEndpoint("--listen", options.listen ?? USUAL);
    const names = isLoopback(name) ? ["localhost", "127.0.0.1", "[::1]"] : [name.includes(":") ? `[${name}]` : name];
    for (const each of names)
      origins.add(new URL(`${isEncrypted ? "https" : "http"}://${each}:${listener.port}`).origin);
    if (config.publicUrl !== undefined) origins.add(new URL(config.publicUrl).origin);
    const address = config.publicUrl ?? [...origins][0]!;
    output.say(`Serving the page of ${shownText(server)} at ${shownText(address)}`);
    output.json({ type: "started", command: "web", address, server, port: listener.port! });
    output.flush();
    await untilAborted(host.signal);
  } finally {
    listener.stop();
    listener.end();
    agent.destroy();
  }
  output.json({ type: "result", command: "web", stopped: true });
  output.say("Stopped.");
  return undefined;
}

async function listen(
  { config }: Context,
  where: string,
  dispatch: Parameters<typeof listenPlain>[2],
): Promise<Listener> {
  const endpoint = parseEndpoint("--listen", where);
  const { tlsCert, tlsKey, publicUrl } = config;
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw usage("--tls-cert and --tls-key belong together.");
  if (tlsCert !== undefined) {
    return listenTls(endpoint, { cert: await given(tlsCert), key: await given(tlsKey!) }, dispatch);
  }
  if (!isLoopback(endpoint.host)) {
    throw usage(
      publicUrl === undefined
        ? "For other machines the page needs TLS: --tls-cert and --tls-key, or a proxy on this machine with --public-url."
        : "A proxy reaches the page on a loopback address: browsers refuse to decrypt in a page that is not encrypted.",
    );
  }
  return listenPlain(endpoint, false, dispatch);
}

async function given(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const detail = cause instanceof Error ? `${cause.message}.` : String(cause);
    throw new AppError("io", { cause, context: { path, detail } });
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
