// A server as a process of its own that lives on when the command has ended: started with the same program, told by its own lock and
// its own messages, never by a process name.

import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { CONFIG, CONFIG_KEYS, envName, LIMITS } from "../core/config-schema.ts";
import { AppError, type ErrorContext, isErrorCode } from "../core/errors.ts";
import { ownProgram } from "../node/own-program.ts";
import type { Context } from "./context.ts";
import { logFolder } from "./service-log.ts";

/** What `serve` tells its parent. */
type Message =
  | { readonly type: "started"; readonly address: string; readonly setup?: string }
  | { readonly type: "failed"; readonly code: string; readonly context: ErrorContext };

export type Started = { readonly pid: number; readonly setup: string | undefined };

const LOG = "console.log";
const LOG_BEFORE = "console.1.log";
const ROTATED_BYTES = 2 ** 20;

/** `flags` are those of `serve`. Answers once the server is ready; throws what it ended with, or `start_failed`. */
export async function startInBackground(
  { host, config }: Pick<Context, "host" | "config">,
  data: string,
  flags: readonly string[],
): Promise<Started> {
  const log = openLog(logFolder(config, data));
  const { file, args } = ownProgram(process, "serve");
  const child = spawn(file, [...args, ...flags], {
    detached: true,
    windowsHide: true,
    env: publicEnvironment(host.env),
    stdio: ["ignore", log.fd, log.fd, "ipc"],
  });
  closeSync(log.fd);
  const failed = (detail: string, cause?: unknown): AppError =>
    new AppError("start_failed", { cause, context: { detail, log: log.path } });
  try {
    return await new Promise<Started>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(failed(`it was not ready after ${LIMITS.serverStartMs.value / 1000} s.`)),
        LIMITS.serverStartMs.value,
      );
      host.signal.addEventListener("abort", () => reject(new AppError("interrupted")), { once: true });
      child.on("error", (cause) => reject(failed(cause.message, cause)));
      child.on("exit", (code, signal) => reject(failed(`it ended with ${signal ?? `exit code ${code}`}.`)));
      child.on("message", (message: Message) => {
        clearTimeout(timer);
        if (message.type === "started") resolve({ pid: child.pid!, setup: message.setup });
        else reject(isErrorCode(message.code) ? new AppError(message.code, message) : failed(message.code));
      });
    });
  } catch (error) {
    child.kill("SIGTERM");
    throw error;
  } finally {
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** The last run's lines stay readable; a file that has grown makes way at a start. */
function openLog(folder: string): { readonly path: string; readonly fd: number } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, LOG);
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > ROTATED_BYTES)
    renameSync(path, join(folder, LOG_BEFORE));
  return { path, fd: openSync(path, "a", 0o600) };
}

/** What opens vaults is none of a server's business, so it never gets into its memory. */
function publicEnvironment(env: Context["host"]["env"]): NodeJS.ProcessEnv {
  const secrets = new Set(CONFIG_KEYS.filter((key) => CONFIG[key].secret).map(envName));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secrets.has(name)));
}
