// `agent install` and `uninstall`: writes the service's definition and says how to start it. It starts nothing by itself: whoever runs services on
// a machine decides that.

import { existsSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { Option } from "commander";
import { planFiles } from "../client/agent/plan-files.ts";
import { makeService, type Service, type ServiceKind, serviceKind } from "../client/agent/service/service.ts";
import { parseVaultAddress } from "../client/vault-address.ts";
import { CONFIG_FILE_VARIABLE } from "../core/config-schema.ts";
import { AppError } from "../core/errors.ts";
import { writeFileAtomic } from "../node/atomic-file.ts";
import { ownProgram } from "../node/own-program.ts";
import type { Context } from "./context.ts";
import { shownText } from "./shown-path.ts";

type Options = {
  readonly system?: boolean;
  readonly for?: ServiceKind;
  readonly print?: boolean;
  readonly dryRun?: boolean;
};

export const SYSTEM_OPTION = new Option("--system", "For the whole machine, run by root, in place of this user alone.");

export async function runInstall(context: Context, options: Options): Promise<undefined> {
  const { output } = context;
  const service = await serviceOf(context, options);
  const { kind, path, text, start } = service;
  const isWritten = !options.print && !options.dryRun;
  if (isWritten) await write(service);
  output.json({ type: "result", command: "agent install", kind, path, text, dryRun: !isWritten, commands: [...start] });
  if (options.print) {
    output.print(text.trimEnd());
    return;
  }
  output.say(isWritten ? `Written: ${shownText(path)}` : `Would be written: ${shownText(path)}`);
  output.say("Start it with");
  for (const line of start) output.say(`  ${line}`);
}

export async function runUninstall(context: Context, options: Options): Promise<undefined> {
  const { output } = context;
  const { path, stop } = await serviceOf(context, options);
  const isThere = existsSync(path);
  if (isThere && !options.dryRun) await unlink(path).catch((cause: NodeJS.ErrnoException) => refuse(path, cause));
  output.json({
    type: "result",
    command: "agent uninstall",
    removed: isThere ? [path] : [],
    dryRun: options.dryRun === true,
    commands: [...stop],
  });
  if (!isThere) output.say(`There is no ${shownText(path)}.`);
  else output.say(`${options.dryRun ? "Would be removed" : "Removed"}: ${shownText(path)}`);
  output.say("If it runs still, end it with");
  for (const line of stop) output.say(`  ${line}`);
}

async function serviceOf(context: Context, options: Options): Promise<Service> {
  const { host, config } = context;
  const { file, args } = ownProgram(process, "agent");
  const store = planFiles(config.home);
  const vaults: string[] = [];
  for (const vault of await store.vaults()) {
    const place = await store.place(vault);
    const address = place && parseVaultAddress(place.vault);
    if (address?.kind === "folder") vaults.push(address.path);
  }
  const configFile = host.env[CONFIG_FILE_VARIABLE];
  const input = {
    argv: [file, ...args, "run"],
    home: config.home,
    vaults,
    isSystem: options.system === true,
    env: configFile ? { [CONFIG_FILE_VARIABLE]: configFile } : {},
  };
  return makeService(options.for ?? serviceKind(host.platform), input, host);
}

async function write({ path, text, encoding }: Service): Promise<void> {
  // A byte order mark tells Windows what it is.
  const content = encoding === "utf16le" ? Buffer.from(`\ufeff${text}`, "utf16le") : text;
  await writeFileAtomic(path, content, { mode: 0o644, folderMode: 0o755 });
}

function refuse(path: string, cause: NodeJS.ErrnoException): never {
  throw new AppError("io", { cause, context: { path, detail: `${cause.code}.` } });
}
