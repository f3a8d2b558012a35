// `status`: what of CyberBackup runs on this machine, by the locks and sockets of its data folder; exit code 1 when the server does not.

import { hostname } from "node:os";
import type { Command } from "commander";
import { socketTransport } from "../../client/http/node-transport.ts";
import { EXIT } from "../../core/errors.ts";
import { exchange } from "../../engine/remote/exchange.ts";
import { localSocketPath } from "../../node/local-socket.ts";
import { findRunning, type Running } from "../../server/instance.ts";
import { serverDataFolder } from "../../server/settings.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { answersAt } from "../answers-at.ts";
import { action, type Context } from "../context.ts";
import { plural } from "../format-bytes.ts";
import { formatTimeAndAge } from "../format-time.ts";
import { usage } from "../parse-values.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { logFolder } from "../service-log.ts";
import { shownText } from "../shown-path.ts";
import { table } from "../table.ts";

export function define(command: Command, cli: Cli): void {
  command
    .addOption(settingOption("data"))
    .option("--url <url>", "Only whether a server or a page answers at this address of the machine.")
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup status", "exit code 0 when the server takes requests, else 1"],
    ["cyberbackup status --json", "for a script"],
    ["cyberbackup status --url https://localhost", "health check of `cyberbackup web` in a container"],
  ]);
}

async function run(context: Context, { url }: { url?: string }): Promise<number> {
  if (url !== undefined) return runUrl(context, url);
  const { output, config, host } = context;
  const data = serverDataFolder(config);
  const running = await findRunning(data);
  const counts = running && (await countVaults(context, data));
  const isReady = counts !== undefined;
  const rows = running
    ? rowsOf(running, counts, host.clock.now())
    : [["server", "does not run", "start it: cyberbackup up"]];
  const columns = [{ title: "Part" }, { title: "State" }, { title: "" }];
  const cells = [...rows, ["data", "", data], ["logs", "", logFolder(config, data)]].map((row) => row.map(shownText));
  for (const line of table(columns, cells, output.paint.bold)) output.print(line);
  output.json({
    ...{
      type: "result",
      command: "status",
      running: running !== undefined,
      ready: isReady,
      data,
      logs: logFolder(config, data),
    },
    ...(running?.holder ?? {}),
    ...described(running),
    ...counts,
  });
  return isReady ? EXIT.ok : EXIT.failed;
}

async function runUrl({ output, host, config }: Context, address: string): Promise<number> {
  if (!URL.canParse(address)) throw usage(`${shownText(address)} is no address.`);
  const ready = await answersAt(new URL(address), host.signal);
  output.print(`${shownText(address)} ${ready ? "answers" : "does not answer"}.`);
  const data = serverDataFolder(config);
  const logs = logFolder(config, data);
  output.json({ type: "result", command: "status", running: ready, ready, address, data, logs });
  return ready ? EXIT.ok : EXIT.failed;
}

function described(running: Running | undefined) {
  const { version, address, fingerprint, gateway, page } = running?.instance ?? {};
  const known = Object.entries({ version, address, fingerprint, gateway, page }).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(known) as { version?: string; address?: string };
}

type Counts = { readonly vaults: number; readonly troubles: number };

function rowsOf({ holder, instance }: Running, counts: Counts | undefined, now: number): string[][] {
  const elsewhere = holder !== undefined && holder.host !== hostname() ? ` on ${holder.host}` : "";
  const process = holder
    ? `process ${holder.pid}${elsewhere}, since ${formatTimeAndAge(Date.parse(holder.since), now)}`
    : "";
  if (counts === undefined)
    return [["server", "does not answer", `${process}; it starts, stops or hangs: cyberbackup logs says which`]];
  const { vaults, troubles } = counts;
  return [
    ["server", "runs", process],
    ...(troubles === 0 ? [] : [["", "needs attention", "cyberbackup server status says why and what to do"]]),
    ["address", instance ? "takes requests" : "starts", instance?.address ?? ""],
    ...(instance?.fingerprint ? [["", "", `fingerprint ${instance.fingerprint}`]] : []),
    [
      "vaults",
      String(vaults),
      vaults === 0 ? "make one: cyberbackup init --vault ADDRESS/NAME" : plural(vaults, "vault"),
    ],
    ["page", instance?.page ? "served" : "off", ""],
    ["gateway", instance?.gateway ? "runs" : "off", instance?.gateway ?? ""],
  ];
}

/** undefined when it takes no requests. */
async function countVaults({ host }: Context, data: string): Promise<Counts | undefined> {
  const transport = socketTransport(localSocketPath(data));
  try {
    await exchange(transport, PEOPLE_ROUTES.ready, { signal: host.signal });
    const { value } = await exchange(transport, PEOPLE_ROUTES.status, { signal: host.signal });
    return { vaults: value.vaults, troubles: value.troubles.length };
  } catch {
    return undefined;
  } finally {
    await transport.close();
  }
}
