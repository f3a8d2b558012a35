// `down`: asks the server of this data folder to stop, by its own socket, and waits until its lock is free. It goes by nothing else:
// no process is looked for by its name, and none is killed.

import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { socketTransport } from "../../client/http/node-transport.ts";
import { LIMITS } from "../../core/config-schema.ts";
import { AppError } from "../../core/errors.ts";
import { exchange } from "../../engine/remote/exchange.ts";
import { localSocketPath } from "../../node/local-socket.ts";
import { findRunning } from "../../server/instance.ts";
import { serverDataFolder } from "../../server/settings.ts";
import { PEOPLE_ROUTES } from "../../wire/v4/api/people-routes.ts";
import { action, type Context } from "../context.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { shownText } from "../shown-path.ts";

const LOOK_EVERY_MS = 50;
/** After the time that running requests get: closing databases takes a moment. */
const CLOSING_MS = 20_000;

export function define(command: Command, cli: Cli): void {
  command.addOption(settingOption("data")).action(action(cli, run));
  addExamples(command, [["cyberbackup down", "running uploads end first; nothing that is stored is touched"]]);
}

async function run(context: Context): Promise<undefined> {
  const { output, config } = context;
  const data = serverDataFolder(config);
  const running = await findRunning(data);
  if (running === undefined) {
    output.say(`No server runs in ${shownText(data)}.`);
    output.json({ type: "result", command: "down", wasRunning: false });
    return undefined;
  }
  const { holder } = running;
  output.note("Waiting for running requests to end.");
  await askToStop(context, data, holder && `process ${holder.pid} on ${holder.host}`);
  await untilFree(context, data);
  output.say("The server has stopped.");
  output.json({ type: "result", command: "down", wasRunning: true, ...(holder ? { pid: holder.pid } : {}) });
  return undefined;
}

async function askToStop({ host }: Context, data: string, holder = "a process that has just started"): Promise<void> {
  const transport = socketTransport(localSocketPath(data));
  try {
    await exchange(transport, PEOPLE_ROUTES.stopServer, { signal: host.signal });
  } catch (cause) {
    if ((await findRunning(data)) === undefined) return;
    const detail = `${holder} holds ${data} and does not answer at its socket.`;
    throw new AppError("stop_failed", { cause, context: { detail } });
  } finally {
    await transport.close();
  }
}

async function untilFree({ host }: Context, data: string): Promise<void> {
  const { clock } = host;
  const end = clock.monotonic() + LIMITS.serverStopMs.value + CLOSING_MS;
  while ((await findRunning(data)) !== undefined) {
    if (clock.monotonic() > end)
      throw new AppError("stop_failed", { context: { detail: "it was asked, and still works." } });
    await setTimeout(LOOK_EVERY_MS, undefined, { signal: host.signal });
  }
}
