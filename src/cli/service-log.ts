// The log of a command that runs until it is stopped. pino comes in only here.

import { join } from "node:path";
import type { LogName } from "../node/log/files.ts";
import type { OpenLog } from "../node/log/open-log.ts";
import { wantsColour } from "../node/terminal.ts";
import type { Context } from "./context.ts";

/** `folder` is the program's data or home folder. Throws `io`. To be closed last. */
export async function openServiceLog(
  { host, config, crash }: Pick<Context, "host" | "config" | "crash">,
  name: LogName,
  folder: string,
): Promise<OpenLog> {
  const { openLog } = await import("../node/log/open-log.ts");
  const { stderr: stream, env, clock } = host;
  const log = await openLog({
    name,
    clock,
    console: { stream, level: config.logLevel, isColoured: wantsColour(config.color, stream, env) },
    files: {
      folder: logFolder(config, folder),
      level: config.logFileLevel,
      sizeBytes: config.logFileMiB * 2 ** 20,
      count: config.logFiles,
    },
  });
  const forget = crash.onDeath(() => log.flush());
  return {
    ...log,
    logger: crash.trail(log.logger),
    close: async () => {
      forget();
      await log.close();
    },
  };
}

export function logFolder({ logFolder: chosen }: Pick<Context["config"], "logFolder">, folder: string): string {
  return chosen ?? join(folder, "logs");
}
