// What every action starts from: the settings of this run, and where to speak. Vaults are opened by open-vault.ts, on demand.

import type { Command } from "commander";
import { CONFIG_KEYS, type Config, flagName } from "../core/config-schema.ts";
import type { Logger } from "../core/log.ts";
import { loadConfig, type ResolvedConfig, readTextIfThere } from "../node/config.ts";
import type { CrashHandling } from "./crash.ts";
import type { Host } from "./host.ts";
import { stderrLogger } from "./logger.ts";
import type { Output } from "./output.ts";
import type { Cli } from "./program.ts";

export type Context = {
  readonly host: Host;
  readonly output: Output;
  readonly config: Config;
  /** The same with where each value comes from. */
  readonly resolved: ResolvedConfig;
  readonly logger: Logger;
  readonly crash: CrashHandling;
};

type Work<Options> = (context: Context, options: Options, ...args: never[]) => Promise<number | undefined>;

/** Makes an action of `work`, which gets the command's options and arguments and answers an exit code if it is not 0. */
export function action<Options>(cli: Cli, work: Work<Options>): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const options = command.optsWithGlobals();
    const context = await createContext(cli, command.name(), options);
    cli.exitCode = (await work(context, options as Options, ...(given.slice(0, -2) as never[]))) ?? 0;
  };
}

async function createContext(cli: Cli, program: string, options: Readonly<Record<string, unknown>>): Promise<Context> {
  const { host, output, crash } = cli;
  const resolved = await loadConfig({
    env: host.env,
    flags: settingFlags(options),
    platform: host.platform,
    userHome: host.userHome,
    readText: readTextIfThere,
  });
  const config = resolved.values;
  output.useColour(config.color);
  for (const warning of resolved.warnings) output.warn(warning);
  await crash.setUp(config, program, host.clock);
  const logger = crash.trail(stderrLogger(host.stderr, config.logLevel));
  return { host, output, crash, config, resolved, logger };
}

/** Commander calls `--pack-size-mib` packSizeMib; the table of settings knows it as packSizeMiB. `--no-web` sets web to off. */
function settingFlags(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    CONFIG_KEYS.map((key) => {
      const given = options[attributeOf(flagName(key))];
      return [key, given === false ? "off" : given === true ? undefined : given];
    }),
  );
}

function attributeOf(flag: string): string {
  return flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
