// `agent`: carries plans out without anybody looking; in this terminal, or as a service of the system.

import type { Command } from "commander";
import { Option } from "commander";
import { Agent } from "../../client/agent/agent.ts";
import type { AgentEvent } from "../../client/agent/agent-event.ts";
import { openHome } from "../../client/home.ts";
import { AppError, EXIT, isAppError } from "../../core/errors.ts";
import { sweepTemporaries } from "../../node/temporaries.ts";
import { isTerminal } from "../../node/terminal.ts";
import { agentHost, takeAgentHold } from "../agent-host.ts";
import { placeServedVaults } from "../agent-places.ts";
import { SYSTEM_OPTION } from "../agent-service.ts";
import { eventJson, eventWords } from "../agent-words.ts";
import { action, type Context } from "../context.ts";
import { formatTime } from "../format-time.ts";
import { Output } from "../output.ts";
import { planStates, showStates } from "../plan-states.ts";
import { addExamples, type Cli } from "../program.ts";
import { openServiceLog } from "../service-log.ts";

export function define(command: Command, cli: Cli): void {
  const run = command.command("run").description("Carry the plans out, in this terminal, until Ctrl-C.");
  addExamples(run.action(action(cli, runAgent)), [["cyberbackup agent run", "an event a line"]]);

  const status = command
    .command("status")
    .description("Show whether an agent runs, what is due next, and how the last runs went.");
  addExamples(status.action(action(cli, runStatus)), [["cyberbackup agent status", ""]]);

  const kinds = new Option("--for <kind>", "For which kind of service manager (default: this system's).").choices([
    ...["systemd", "launchd", "windows"],
  ]);
  const install = command
    .command("install")
    .description("Make the agent a service that starts by itself.")
    .addOption(SYSTEM_OPTION)
    .addOption(kinds)
    .option("--print", "Print the definition and write nothing.")
    .option("--dry-run", "Only say what would be written.");
  install.action(
    action(cli, async (context: Context, options: never) =>
      (await import("../agent-service.ts")).runInstall(context, options),
    ),
  );
  addExamples(install, [
    ["cyberbackup agent install", "for this user"],
    ["sudo cyberbackup agent install --system --home /var/lib/cyberbackup", "for the whole machine"],
    ["cyberbackup agent install --print", "to look at it first"],
  ]);

  const uninstall = command
    .command("uninstall")
    .description("Take the service away. Plans and backups stay.")
    .addOption(SYSTEM_OPTION)
    .addOption(kinds)
    .option("--dry-run", "Only say what would be removed.");
  uninstall.action(
    action(cli, async (context: Context, options: never) =>
      (await import("../agent-service.ts")).runUninstall(context, options),
    ),
  );
  addExamples(uninstall, [["cyberbackup agent uninstall", ""]]);
}

async function runAgent(given: Context): Promise<number> {
  const { host, config } = given;
  const { isJson, isQuiet } = given.output;
  // Whoever collects lines wants fields.
  const output = isJson || isTerminal(host.stdout) ? given.output : new Output(host, { isJson: true, isQuiet });
  const hold = takeAgentHold(given);
  if (!hold) throw new AppError("agent_running");
  const log = await openServiceLog(given, "agent", config.home);
  const context: Context = { ...given, output, logger: log.logger };
  try {
    await requireDevice(context);
    await sweepTemporaries(config.home, host.clock.now());
    const own = agentHost(context);
    await placeServedVaults(openHome(config.home, context.logger), own.plans);
    const onEvent = (event: AgentEvent): void => tell(context, event);
    const { openLink } = await import("../agent-link.ts");
    const agent = new Agent({ ...own, onEvent, openLink: (vault) => openLink(context, own, vault, onEvent) });
    await agent.run(host.signal);
    output.json({ type: "result", command: "agent run", stopped: true });
    output.say("Stopped.");
    output.flush();
    return EXIT.ok;
  } finally {
    hold.release();
    await log.close();
  }
}

/** A machine that is a device of nothing has nothing to do, and somebody should know. */
async function requireDevice({ config, logger }: Context): Promise<void> {
  if ((await openHome(config.home, logger).vaults()).length === 0) throw new AppError("not_enrolled");
}

function tell(context: Context, event: AgentEvent): void {
  const { output, host, logger } = context;
  const now = host.clock.now();
  const told = eventWords(event, output.paint);
  if (told) output.say([output.paint.dim(formatTime(now)), ...told].join("  "));
  output.json(eventJson(event, now));
  output.flush();
  // Names of plans are nobody's business but this machine's, and the log's fields let none through.
  switch (event.type) {
    case "run-started":
      logger.info("a run begins", { vault: event.vault, run: event.run });
      return;
    case "run-ended": {
      const { run, outcome, files, addedBytes, startedAt, endedAt, remarks } = event.last;
      const fields = { vault: event.vault, run, files, addedBytes, durationMs: endedAt - startedAt };
      if (outcome === "ok") logger.info("a run has ended", fields);
      else logger.warn("a run has not ended well", { ...fields, code: event.last.error ?? undefined });
      for (const remark of remarks) {
        const found = { vault: event.vault, run, files, changed: event.last.changedFiles };
        if (remark === "fewer-files") logger.warn("a run found far fewer files than the one before", found);
        else logger.warn("a run found far more changed files than usual", found);
      }
      return;
    }
    case "disconnected":
      logger.info("the connection to a server is lost", {
        vault: event.vault,
        code: event.error.code,
        waitMs: event.waitMs,
      });
      return;
    case "plan-problem":
    case "plan-refused":
      logger.warn("a plan cannot be followed", { vault: event.vault, code: event.error.code });
      return;
    case "trouble": {
      const { error } = event;
      logger.error("something went wrong in the agent", {
        vault: event.vault,
        ...(isAppError(error) ? { code: error.code } : {}),
        error: error as Error,
      });
      return;
    }
    default:
      logger.debug("something happened in the agent", { event: event.type });
  }
}

async function runStatus(context: Context): Promise<number> {
  const { output } = context;
  const hold = takeAgentHold(context);
  hold?.release();
  const plans = await planStates(context);
  output.json({ type: "result", command: "agent status", running: hold === undefined, plans });
  output.say(
    hold
      ? output.paint.yellow("No agent runs: cyberbackup agent run, or agent install.")
      : output.paint.green("An agent runs."),
  );
  showStates(context, plans);
  const isBad = plans.some(
    ({ overdue, problem, last }) => overdue || problem !== undefined || last?.outcome === "failed",
  );
  return isBad ? EXIT.failed : EXIT.ok;
}
