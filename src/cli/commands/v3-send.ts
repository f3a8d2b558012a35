// `v3 send`: files to a server of CyberBackup 3, as the old client does in batch mode. No vault is involved.

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { setTimeout as waitFor } from "node:timers/promises";
import type { Command } from "commander";
import { PORTS } from "../../core/config-schema.ts";
import { AppError, EXIT } from "../../core/errors.ts";
import { parseServerAddress, parseTransferInfo, type ServerAddress } from "../../gateway/old-files.ts";
import { addressOf } from "../../gateway/send/connection.ts";
import { openIdentity } from "../../gateway/send/identity.ts";
import { newSendProgress, type SendProgress, type SendReport, sendFiles } from "../../gateway/send/send.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, plural } from "../format-bytes.ts";
import { formatDuration } from "../format-time.ts";
import { usage } from "../parse-values.ts";
import { addExamples, type Cli } from "../program.ts";
import { shownText } from "../shown-path.ts";
import { type Figures, whileShowing } from "../status.ts";

type Options = {
  readonly transferInfo?: string;
  readonly me: string;
  readonly server?: string;
  readonly name?: string;
};

type Task = { readonly server: ServerAddress; readonly user: string; readonly paths: readonly string[] };

const TRANSFER_INFO = "transfer.info";

export function defineSend(command: Command, cli: Cli): void {
  command
    .argument("[file...]", "Files to send; without any, transfer.info says which.")
    .option("--transfer-info <file>", `Server, user and file in three lines (default: ${TRANSFER_INFO}).`)
    .option("--me <file>", "Id and key, made when a name is registered; priv.key lies beside it.", "me.info")
    .option(
      "--server <host:port>",
      `In place of transfer.info: the server (its port is ${PORTS.gateway.value} if none is said).`,
    )
    .option("--name <user>", "In place of transfer.info: the user's name at the server.")
    .action(action(cli, runSend));
  addExamples(command, [
    ["cyberbackup v3 send", "do what transfer.info says, as the old client would"],
    ["cyberbackup v3 send --server 192.0.2.7 --name ann report.pdf photo.jpg", "say it in words"],
    ["cyberbackup v3 send --transfer-info /etc/cb3/transfer.info --me /etc/cb3/me.info", "for a timer"],
  ]);
}

async function runSend(context: Context, options: Options, files: string[]): Promise<number> {
  const { host, logger } = context;
  const task = await taskOf(options, files);
  const startMs = host.clock.monotonic();
  const progress = newSendProgress();
  const identity = openIdentity(resolve(options.me));
  const report = await whileShowing(
    context,
    () => figuresOf(progress),
    () => sendFiles({ ...task, identity, wait, progress, signal: host.signal, logger }),
  );
  const [failure] = report.failed;
  if (failure && report.failed.length === task.paths.length && task.paths.length === 1) throw failure.error;
  return showReport(context, task, report, Math.round(host.clock.monotonic() - startMs));
}

async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await waitFor(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
}

async function taskOf(options: Options, files: readonly string[]): Promise<Task> {
  const { server, name, transferInfo } = options;
  if (server === undefined && name === undefined && files.length === 0) return taskFile(transferInfo ?? TRANSFER_INFO);
  if (transferInfo !== undefined) throw usage("Give either --transfer-info, or --server, --name and files.");
  if (server === undefined || name === undefined || files.length === 0) {
    throw usage("Without transfer.info all of --server, --name and a file are needed.");
  }
  return { server: serverOf(server), user: name, paths: files };
}

/** A path in it is meant from where it lies, which is where the old client was started. */
async function taskFile(path: string): Promise<Task> {
  const content = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new AppError("io", { cause, context: { path, detail: `${cause.code ?? "unknown error"}.` } });
  });
  const { server, user, path: file } = parseTransferInfo(content, path);
  return { server, user, paths: [resolve(dirname(path), file)] };
}

function serverOf(text: string): ServerAddress {
  const found = parseServerAddress(text) ?? parseServerAddress(`${text}:${PORTS.gateway.value}`);
  if (found) return found;
  throw usage(`${JSON.stringify(text)} is no server: give host:port, or [address]:port for IPv6.`);
}

function showReport(context: Context, task: Task, report: SendReport, durationMs: number): number {
  const { output } = context;
  const { sent, failed, client, isNew } = report;
  const server = addressOf(task.server);
  for (const { path, error } of failed) output.warn(`${shownText(path)}: ${error.message}`);
  if (isNew) output.say(`Registered as ${shownText(task.user)}; keep me.info and priv.key, they are the way back in.`);
  for (const { name, sizeBytes, cksum } of sent) {
    output.say(`${shownText(name)}  ${formatBytes(sizeBytes)}  checksum ${cksum}`);
  }
  output.say(`${plural(sent.length, "file")} confirmed by ${server}, in ${formatDuration(durationMs)}`);
  const exit = failed.length === 0 ? EXIT.ok : sent.length > 0 ? EXIT.partial : failed[0]!.error.exit;
  output.json({
    type: "summary",
    command: "v3 send",
    server,
    user: task.user,
    ...(client === undefined ? {} : { client }),
    registered: isNew,
    files: sent.map(({ path, name, sizeBytes, cksum, tries }) => ({ path, name, bytes: sizeBytes, cksum, tries })),
    problemCount: failed.length,
    problems: failed.map(({ path, error }) => ({ path, code: error.code, detail: error.message })),
    durationMs,
    exit,
  });
  return exit;
}

function figuresOf(progress: SendProgress): Figures {
  const { phase, files, totalFiles, bytes, totalBytes, problems, current } = progress;
  return {
    command: "v3 send",
    phase,
    files,
    totalFiles,
    bytes,
    totalBytes,
    problems,
    current,
    done: phase === "connecting" ? "connecting" : `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`,
  };
}
