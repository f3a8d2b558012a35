// `server`: looks at a server that runs, and sets its jobs going: by its local socket on its own machine, or with an account.

import type { Command } from "commander";
import { Argument } from "commander";
import { openHome } from "../../client/home.ts";
import { parseVaultAddress } from "../../client/vault-address.ts";
import { EXIT } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import { type JobProgress, runJob } from "../../engine/remote/run-job.ts";
import { localSocketPath } from "../../node/local-socket.ts";
import { requireRunning } from "../../server/instance.ts";
import { serverDataFolder } from "../../server/settings.ts";
import { JOB_KINDS, JOB_ROUTES, type JobKind } from "../../wire/v4/api/job-routes.ts";
import { PEOPLE_ROUTES, type ServerTrouble } from "../../wire/v4/api/people-routes.ts";
import { VAULT_ROUTES } from "../../wire/v4/api/vault-routes.ts";
import { action, type Context } from "../context.ts";
import { formatBytes, formatCount, plural } from "../format-bytes.ts";
import { formatDuration, formatTime, formatTimeAndAge, isoTime } from "../format-time.ts";
import { usage } from "../parse-values.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { reachLocalServer, reachServer, type ServerAccess } from "../server-access.ts";
import { serverOrigin } from "../server-origin.ts";
import { shownText } from "../shown-path.ts";
import { whileShowing } from "../status.ts";
import { table } from "../table.ts";
import { defineSetup } from "./server-setup.ts";

type Where = { readonly url?: string };
type RunOptions = Where & { readonly name?: string; readonly dryRun?: boolean };
type JobsOptions = Where & { readonly name?: string };

export function define(command: Command, cli: Cli): void {
  defineSetup(
    command.command("setup").description("Make the first owner's account, or choose a password by a link."),
    cli,
  );
  const at = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .addOption(settingOption("data"))
      .option("--url <url>", "A server elsewhere, where this machine has logged in.");

  const status = at("status", "Show how the server is.").action(action(cli, withServer(runStatus)));
  addExamples(status, [
    ["cyberbackup server status --data /srv/backup", "on the server's own machine"],
    ["cyberbackup server status --url https://backup.example.org", "from elsewhere, after `login`"],
  ]);
  const vaults = at("vaults", "List its vaults.").action(action(cli, withServer(runVaults)));
  addExamples(vaults, [["cyberbackup server vaults", ""]]);
  const devices = at("devices", "List the machines that back up there, and when each was last seen.").action(
    action(cli, withServer(runDevices)),
  );
  addExamples(devices, [["cyberbackup server devices", ""]]);
  const jobs = at("jobs", "List what it does and did by itself, the newest first.")
    .option("--name <vault>", "Only of one vault.")
    .action(action(cli, withServer(runJobs)));
  addExamples(jobs, [["cyberbackup server jobs --name home", ""]]);
  const run = at("run", "Set a job going and wait for it; Ctrl-C cancels it.")
    .addArgument(new Argument("<job>", "What to do.").choices(JOB_KINDS))
    .option("--name <vault>", "In which vault; needless where there is one.")
    .option("--dry-run", "Only say what would be done.")
    .action(action(cli, withServer(runRun)));
  addExamples(run, [["cyberbackup server run scrub --name home", "read all that is stored"]]);
}

/** Speaks to the server that the options mean, and hangs up. */
function withServer<Options extends Where>(
  work: (context: Context, server: ServerAccess, options: Options, ...args: never[]) => Promise<number | undefined>,
) {
  return async (context: Context, options: Options, ...args: never[]): Promise<number | undefined> => {
    const server = await reach(context, options);
    try {
      return await work(context, server, options, ...args);
    } finally {
      await server.transport.close();
    }
  };
}

async function reach(context: Context, { url }: Where): Promise<ServerAccess> {
  const { config, resolved, logger } = context;
  if (url === undefined && !isRemote(context)) {
    const data = serverDataFolder(config);
    await requireRunning(data);
    return reachLocalServer(context, localSocketPath(data));
  }
  const origin = serverOrigin(context, resolved.origins.data === "default" || url !== undefined ? url : undefined);
  return reachServer(context, origin, await openHome(config.home, logger).server(origin));
}

/** Without `--url` the vault's server is meant, unless a data folder is named. */
function isRemote({ config, resolved }: Context): boolean {
  return resolved.origins.data === "default" && /^https:/i.test(config.vault ?? "");
}

async function runStatus({ output, host }: Context, { people }: ServerAccess): Promise<undefined> {
  const status = await people.call(PEOPLE_ROUTES.status, {});
  const { version, startedAt, uptimeMs, vaults, connections, disk, memory, troubles } = status;
  output.json({
    type: "result",
    command: "server status",
    version,
    startedAt: isoTime(startedAt),
    ...{ uptimeMs, vaults, connections },
    freeBytes: disk.freeBytes,
    reserveBytes: disk.reserveBytes,
    residentBytes: memory.residentBytes,
    troubles: troubles.map(({ vault, ...words }) => ({ ...(vault === null ? {} : { vaultName: vault }), ...words })),
  });
  const rows = [
    ["State", troubles.length === 0 ? output.paint.green("takes backups") : output.paint.red("needs attention")],
    ["Version", shownText(version)],
    ["Running since", `${formatTimeAndAge(startedAt, host.clock.now())}`],
    ["Vaults", formatCount(vaults)],
    ["Connections", formatCount(connections)],
    [
      "Disk",
      `${formatBytes(disk.freeBytes)} free of ${formatBytes(disk.totalBytes)}, ${formatBytes(disk.reserveBytes)} kept in reserve`,
    ],
    ["Memory", formatBytes(memory.residentBytes)],
  ];
  for (const line of table([{ title: "What" }, { title: "Now" }], rows, output.paint.bold)) output.print(line);
  showTroubles(output, troubles);
}

function showTroubles(output: Context["output"], troubles: readonly ServerTrouble[]): void {
  for (const { vault, message, mend } of troubles) {
    output.print(output.paint.red(`${vault === null ? "" : `${shownText(vault)}: `}${shownText(message)}`));
    output.print(`  ${shownText(mend)}`);
  }
}

async function runVaults({ output }: Context, server: ServerAccess): Promise<undefined> {
  const vaults = await vaultRows(server);
  output.json({
    type: "result",
    command: "server vaults",
    vaults: vaults.map(({ id, name, problem, trouble, stats }) => ({
      ...{ id, name },
      ...(problem ? { problem } : {}),
      ...(trouble ? { trouble } : {}),
      ...(stats
        ? { snapshots: stats.snapshots, trashedSnapshots: stats.trashedSnapshots, storedBytes: stats.packBytes }
        : {}),
    })),
  });
  const columns = [
    { title: "Name" },
    { title: "ID" },
    { title: "Snapshots", align: "right" },
    { title: "Stored", align: "right" },
    { title: "State" },
  ] as const;
  const rows = vaults.map(({ id, name, trouble, stats }) => [
    shownText(name),
    id.slice(0, 12),
    stats ? formatCount(stats.snapshots) : "?",
    stats ? formatBytes(stats.packBytes) : "?",
    trouble ? output.paint.red(shownText(trouble.code)) : stats!.openSessions > 0 ? "a backup runs" : "ready",
  ]);
  if (rows.length === 0) {
    output.say("No vaults yet; `cyberbackup init --vault ADDRESS/NAME` makes one.");
    return;
  }
  for (const line of table(columns, rows, output.paint.bold)) output.print(line);
  showTroubles(
    output,
    vaults.flatMap(({ name, trouble }) => (trouble ? [{ vault: name, ...trouble }] : [])),
  );
}

/** What cannot be used at present is listed without figures. */
async function vaultRows({ people }: ServerAccess) {
  const { vaults } = await people.call(VAULT_ROUTES.vaults, {});
  return Promise.all(
    vaults.map(async (row) => {
      if (row.problem !== null) return { ...row, stats: undefined };
      return people.call(VAULT_ROUTES.vault, { params: { vault: row.id } });
    }),
  );
}

async function runDevices({ output, host }: Context, server: ServerAccess): Promise<undefined> {
  const { vaults } = await server.people.call(VAULT_ROUTES.vaults, {});
  const found: { vault: string; row: Awaited<ReturnType<typeof devicesOf>>[number] }[] = [];
  for (const { id, name, problem } of vaults) {
    if (problem === null) for (const row of await devicesOf(server, id)) found.push({ vault: name, row });
  }
  output.json({
    type: "result",
    command: "server devices",
    devices: found.map(({ vault, row }) => ({
      vaultName: vault,
      ...{ id: row.device, name: row.name, revoked: row.revoked },
      ...(row.lastSeenAt === null ? {} : { lastSeen: isoTime(row.lastSeenAt) }),
      ...(row.lastSnapshotAt === null ? {} : { lastSnapshot: isoTime(row.lastSnapshotAt) }),
      ...{ snapshots: row.snapshots, addedBytes: row.addedBytes },
    })),
  });
  const now = host.clock.now();
  const rows = found.map(({ vault, row }) => [
    shownText(vault),
    row.device.slice(0, 12),
    shownText(row.name),
    row.lastSeenAt === null ? "never" : formatTimeAndAge(row.lastSeenAt, now),
    formatCount(row.snapshots),
    formatBytes(row.addedBytes),
    row.revoked ? output.paint.red("revoked") : row.openSessions > 0 ? "backs up now" : "enrolled",
  ]);
  if (rows.length === 0) {
    output.say("No devices yet; `cyberbackup device invite --vault ADDRESS/NAME` prints a code for one.");
    return;
  }
  const titles = ["Vault", "ID", "Name", "Last seen", "Snapshots", "Added", "State"];
  for (const line of table(
    titles.map((title) => ({ title })),
    rows,
    output.paint.bold,
  )) {
    output.print(line);
  }
}

async function devicesOf({ people }: ServerAccess, vault: VaultId) {
  return (await people.call(VAULT_ROUTES.deviceList, { params: { vault } })).devices;
}

async function runJobs(context: Context, { people }: ServerAccess, options: JobsOptions): Promise<undefined> {
  const { output } = context;
  const name = namedVault(context, options);
  const { items } = await people.call(JOB_ROUTES.jobs, { query: name === undefined ? {} : { vault: name } });
  const { vaults } = await people.call(VAULT_ROUTES.vaults, {});
  const names = new Map<string | null, string>(vaults.map((row) => [row.id, row.name]));
  output.json({
    type: "result",
    command: "server jobs",
    jobs: items.map((job) => ({
      ...{ id: job.id, kind: job.kind, state: job.state, startedBy: job.startedBy, dryRun: job.dryRun },
      ...(job.vault === null ? {} : { vault: job.vault }),
      ...(job.startedAt === null ? {} : { startedAt: isoTime(job.startedAt) }),
      ...(job.endedAt === null ? {} : { endedAt: isoTime(job.endedAt) }),
      ...(job.error === null ? {} : { error: job.error.code }),
    })),
  });
  const rows = items.map((job) => [
    job.id,
    job.kind + (job.dryRun ? " (dry run)" : ""),
    shownText(names.get(job.vault) ?? "–"),
    job.state === "failed" ? output.paint.red(`failed: ${shownText(job.error?.code ?? "?")}`) : job.state,
    job.startedAt === null ? "–" : formatTime(job.startedAt),
    job.startedAt === null || job.endedAt === null ? "–" : formatDuration(job.endedAt - job.startedAt),
    shownText(job.startedBy),
  ]);
  if (rows.length === 0) {
    output.say("It has done nothing by itself yet; its first jobs run at night.");
    return;
  }
  const titles = ["ID", "Job", "Vault", "State", "Started", "Took", "By"];
  for (const line of table(
    titles.map((title) => ({ title })),
    rows,
    output.paint.bold,
  )) {
    output.print(line);
  }
}

async function runRun(
  context: Context,
  server: ServerAccess,
  { name, dryRun = false }: RunOptions,
  kind: JobKind,
): Promise<number> {
  const { output } = context;
  const vault = kind === "database-backup" ? null : await vaultFor(server, namedVault(context, { name }));
  let progress: JobProgress | undefined;
  const job = await whileShowing(
    context,
    () => figuresOf(kind, progress),
    () =>
      runJob(
        server.people,
        { kind, vault, dryRun },
        {
          signal: context.host.signal,
          onProgress: (now) => {
            progress = now;
          },
        },
      ),
  );
  const result = job.result ?? {};
  output.json({ type: "summary", command: "server run", job: job.id, kind, dryRun, state: job.state, result });
  for (const [field, value] of Object.entries(result))
    output.say(`${inWords(field)}: ${shownText(shortly(field, value))}`);
  const problems = Array.isArray(result.problems) ? result.problems.length : 0;
  const end = dryRun ? "Nothing was changed: this was a dry run." : output.paint.green("Done.");
  output.say(problems > 0 ? output.paint.red(`Done; it found ${plural(problems, "problem")}.`) : end);
  return problems > 0 ? EXIT.damaged : EXIT.ok;
}

function figuresOf(kind: JobKind, progress: JobProgress | undefined) {
  const { done = 0, total = 0, unit = "bytes" } = progress ?? {};
  const isBytes = unit === "bytes";
  const words = isBytes
    ? `${formatBytes(done)} of ${formatBytes(total)}`
    : `${formatCount(done)} of ${formatCount(total)} ${unit}`;
  return { command: "server run", ...(isBytes ? { bytes: done, totalBytes: total } : {}), done: `${kind}: ${words}` };
}

/** Whoever writes `--vault home` means that one, as whoever writes `--name home` does. */
function namedVault(
  { config, resolved }: Context,
  { name }: { readonly name?: string | undefined },
): string | undefined {
  if (name !== undefined || config.vault === undefined || !resolved.origins.vault.startsWith("flag ")) return name;
  const address = parseVaultAddress(config.vault);
  return address.kind === "server" ? address.name : address.path;
}

async function vaultFor({ people }: ServerAccess, name: string | undefined): Promise<string> {
  if (name !== undefined) return name;
  const { vaults } = await people.call(VAULT_ROUTES.vaults, {});
  const [only, ...others] = vaults;
  if (!only) throw usage("The server has no vault yet; `cyberbackup init --vault ADDRESS/NAME` makes one.");
  if (others.length === 0) return only.id;
  const names = vaults.map((row) => shownText(row.name)).join(", ");
  throw usage(`There are several vaults: say which with --name (${names}).`);
}

/** Of plans, and what would say nothing. */
const FIELDS: ReadonlyMap<string, string> = new Map([
  ["purge", "snapshots to purge"],
  ["remove", "packs to remove"],
  ["compact", "groups of packs to compact"],
  ["bytes", "read"],
]);

/** `freedBytes` is "freed", since its figure has a unit; `keptPacks` is "kept packs". */
function inWords(field: string): string {
  const own = FIELDS.get(field);
  if (own !== undefined) return own;
  const words = field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.replace(/^(.+) bytes$|^bytes (.+)$/, "$1$2");
}

function shortly(field: string, value: unknown): string {
  if (Array.isArray(value)) return formatCount(value.length);
  if (typeof value === "number") return /bytes/i.test(field) ? formatBytes(value) : formatCount(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
