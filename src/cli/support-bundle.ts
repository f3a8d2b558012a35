// `doctor --bundle`: what helps somebody else to help, in one tar of plain texts. Without secrets and without names: settings that could
// tell something are only said to be set, findings go in by what core/log-fields.ts lets pass, vaults and devices in metrics get numbers.

import { open } from "node:fs/promises";
import { availableParallelism, release, totalmem } from "node:os";
import { pack } from "tar-stream";
import { CONFIG, CONFIG_KEYS } from "../core/config-schema.ts";
import { safeFields } from "../core/log-fields.ts";
import { writeFileAtomic } from "../node/atomic-file.ts";
import { localSocketPath } from "../node/local-socket.ts";
import { type LogName, logFiles } from "../node/log/files.ts";
import { readVersion } from "../node/version.ts";
import { serverDataFolder } from "../server/settings.ts";
import { METRICS_ROUTES } from "../wire/v4/api/job-routes.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./doctor-finding.ts";
import { reachLocalServer } from "./server-access.ts";
import { logFolder } from "./service-log.ts";

/** Of the newest file of each log. */
const LOG_BYTES = 512 * 1024;

type Part = readonly [name: string, content: string];

/** Writes the bundle; answers the names of what is in it. Throws `io`, `disk_full`. */
export async function writeBundle(context: Context, path: string, findings: readonly Finding[]): Promise<string[]> {
  const parts: Part[] = [
    ["README.txt", README],
    ["about.json", json(about(context))],
    ["settings.json", json(settings(context))],
    ["findings.json", json(findings.map(safeFinding))],
    ...(await logs(context)),
    ...(await metrics(context)),
  ];
  const archive = pack();
  for (const [name, content] of parts) archive.entry({ name: `cyberbackup-support/${name}`, mode: 0o600 }, content);
  archive.finalize();
  const slices: Uint8Array[] = [];
  for await (const slice of archive) slices.push(slice as Uint8Array);
  await writeFileAtomic(path, Buffer.concat(slices));
  return parts.map(([name]) => name);
}

const README = `What cyberbackup doctor found, for somebody who is to help.

about.json     versions and the machine
settings.json  every setting: where its value comes from, and the value where it is a number or one of a few words
findings.json  each check, how it went, and figures
*.log          the last lines of the logs
metrics.txt    the server's metrics; vaults, devices and plans have numbers in place of names

It holds no secret, no name of a file, folder, vault, device, person or machine. Look into it: it is text.
`;

function about({ host }: Context) {
  return {
    ...{ cyberbackup: readVersion(), node: process.version, platform: host.platform, arch: process.arch },
    ...{ system: release(), cores: availableParallelism(), memoryBytes: totalmem() },
    madeAt: new Date(host.clock.now()).toISOString(),
  };
}

/** Texts may name hosts, folders and people; numbers and choices do not. */
function settings({ resolved, config }: Context) {
  return CONFIG_KEYS.map((key) => {
    const value: unknown = config[key];
    const [from] = resolved.origins[key].split(" ");
    const isPlain = typeof value === "number" || CONFIG[key].default !== undefined;
    return { key, from, ...(value === undefined ? {} : { value: isPlain ? value : "(set)" }) };
  });
}

/** Checks of vaults bear their names. */
function safeFinding({ check, state, facts = {} }: Finding) {
  return { check: check.startsWith("vault ") ? "vault" : check, state, ...safeFields(facts) };
}

async function logs({ config }: Context): Promise<Part[]> {
  const folders: readonly (readonly [LogName, string])[] = [
    ["server", logFolder(config, serverDataFolder(config))],
    ["gateway", logFolder(config, config.home)],
    ["agent", logFolder(config, config.home)],
  ];
  const parts: Part[] = [];
  for (const [name, folder] of folders) {
    const newest = (await logFiles(folder, name).catch(() => [])).at(-1);
    if (newest !== undefined) parts.push([`${name}.log`, await lastLines(newest)]);
  }
  return parts;
}

async function lastLines(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - LOG_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const text = buffer.subarray(0, bytesRead).toString("utf8");
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    await file.close();
  }
}

/** None where no server of this machine answers. */
async function metrics(context: Context): Promise<Part[]> {
  const access = reachLocalServer(context, localSocketPath(serverDataFolder(context.config)));
  try {
    return [["metrics.txt", withoutNames(await metricsText(access))]];
  } catch {
    return [];
  } finally {
    await access.transport.close();
  }
}

async function metricsText({ people }: ReturnType<typeof reachLocalServer>): Promise<string> {
  const answer = await people.stream(METRICS_ROUTES.metrics, {});
  const slices: Uint8Array[] = [];
  for await (const slice of answer.body) slices.push(slice.slice());
  return Buffer.concat(slices).toString("utf8");
}

function withoutNames(text: string): string {
  const numbers = new Map<string, number>();
  return text.replace(/\b(vault|device|plan)="((?:[^"\\]|\\.)*)"/g, (_, label: string, value: string) => {
    if (value === "") return `${label}=""`;
    const key = `${label} ${value}`;
    if (!numbers.has(key)) numbers.set(key, numbers.size + 1);
    return `${label}="${label}-${numbers.get(key)}"`;
  });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
