// `gateway clients`, `import`, `retire`, `reset`, `forget`: who may upload through the gateway. They work while it runs, too.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { AppError } from "../../core/errors.ts";
import { dayStart } from "../../gateway/admission.ts";
import { ClientRegistry } from "../../gateway/client-registry.ts";
import { readOldDatabase } from "../../gateway/old-database.ts";
import { action, type Context } from "../context.ts";
import { plural } from "../format-bytes.ts";
import { formatTime, isoTime } from "../format-time.ts";
import { addExamples, type Cli } from "../program.ts";
import { shownText } from "../shown-path.ts";
import { table } from "../table.ts";

type Options = { readonly data?: string };

const REASONS = {
  id_taken: "another client has its id",
  name_taken: "another client has its name",
  invalid: "its name or key is none",
} as const;

export function defineClients(command: Command, cli: Cli): void {
  command.command("clients").description("List the registered clients.").action(action(cli, list));
  const taking = command
    .command("import")
    .description("Take ids, names and public keys out of an old server's database.")
    .argument("<file>", "defensive.db of the old server.")
    .action(action(cli, takeOver));
  addExamples(taking, [["cyberbackup gateway import /srv/old-server/defensive.db", "clients reconnect as before"]]);
  const retiring = command
    .command("retire")
    .description("Refuse a client from a day on. Its uploads stay.")
    .argument("<name>", "Name of the user.")
    .argument("<day>", "That day (UTC), such as 2027-06-30; never takes it back.")
    .action(action(cli, retire));
  addExamples(retiring, [["cyberbackup gateway retire shop 2027-06-30", "until the shop's machine is moved"]]);
  command
    .command("reset")
    .description("Let a client send a new key: without this nobody can take over a name.")
    .argument("<name>", "Name of the user.")
    .action(action(cli, reset));
  command
    .command("forget")
    .description("Remove a client, so that its name can be registered again.")
    .argument("<name>", "Name of the user.")
    .action(action(cli, forget));
}

async function list(context: Context, options: Options): Promise<undefined> {
  const { output } = context;
  const clients = await withRegistry(context, options, (registry) => registry.all());
  const rows = clients.map(({ user, publicKey, registeredAt, lastSeenAt, lastUploadAt, retireAt }) => ({
    name: user,
    hasKey: publicKey !== undefined,
    registeredAt: isoTime(registeredAt),
    ...(lastSeenAt > 0 ? { lastSeenAt: isoTime(lastSeenAt) } : {}),
    ...(lastUploadAt === undefined ? {} : { lastUploadAt: isoTime(lastUploadAt) }),
    ...(retireAt === undefined ? {} : { retireAt: isoTime(retireAt) }),
  }));
  const columns = ["Name", "Key", "Registered", "Last seen", "Last upload", "Refused from"].map((title) => ({ title }));
  const cells = clients.map(({ user, publicKey, registeredAt, lastSeenAt, lastUploadAt, retireAt }) => [
    shownText(user),
    publicKey ? "yes" : "none yet",
    formatTime(registeredAt),
    lastSeenAt > 0 ? formatTime(lastSeenAt) : "never",
    lastUploadAt === undefined ? "never" : formatTime(lastUploadAt),
    retireAt === undefined ? "" : formatTime(retireAt),
  ]);
  for (const line of table(columns, cells, output.paint.bold)) output.print(line);
  output.json({ type: "result", command: "gateway clients", clients: rows });
}

async function takeOver(context: Context, options: Options, file: string): Promise<undefined> {
  const { output } = context;
  const { clients } = await readOldDatabase(file);
  const taken = clients.map(({ id, name, publicKey, lastSeenAt }) => ({ id, user: name, publicKey, lastSeenAt }));
  const { imported, present, refused } = await withRegistry(context, options, (registry) => registry.takeOver(taken));
  for (const { user, reason } of refused) output.warn(`${shownText(user)} was left out: ${REASONS[reason]}.`);
  output.say(`${plural(imported, "client")} imported, ${present} known already.`);
  const left = refused.map(({ user, reason }) => ({ name: user, reason }));
  output.json({ type: "result", command: "gateway import", imported, present, refused: left });
}

async function retire(context: Context, options: Options, name: string, day: string): Promise<undefined> {
  const at = day === "never" ? undefined : dayStart(day);
  await change(context, options, name, (registry) => registry.retire(name, at));
  context.output.say(
    at === undefined ? `${shownText(name)} may come as before.` : `${shownText(name)} is refused from ${day} on.`,
  );
  context.output.json({
    type: "result",
    command: "gateway retire",
    name,
    ...(at === undefined ? {} : { retireAt: isoTime(at) }),
  });
}

async function reset(context: Context, options: Options, name: string): Promise<undefined> {
  await change(context, options, name, (registry) => registry.resetKey(name));
  context.output.say(`${shownText(name)} may send a new key.`);
  context.output.json({ type: "result", command: "gateway reset", name });
}

async function forget(context: Context, options: Options, name: string): Promise<undefined> {
  await change(context, options, name, (registry) => registry.remove(name));
  context.output.say(`${shownText(name)} is forgotten.`);
  context.output.json({ type: "result", command: "gateway forget", name });
}

async function change(context: Context, options: Options, name: string, work: (registry: ClientRegistry) => boolean) {
  if (await withRegistry(context, options, work)) return;
  throw new AppError("not_found", { context: { what: `The client ${shownText(name)}` } });
}

/** Where the registered clients are kept. */
export function dataFolder({ config }: Pick<Context, "config">, { data }: Options): string {
  return data ?? join(config.home, "gateway");
}

async function withRegistry<T>(context: Context, options: Options, work: (registry: ClientRegistry) => T): Promise<T> {
  const folder = dataFolder(context, options);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { clock, random } = context.host;
  const registry = new ClientRegistry(folder, clock, random);
  try {
    return work(registry);
  } finally {
    registry.close();
  }
}
