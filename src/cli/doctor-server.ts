// What `doctor` looks at of a server whose data folder is on this machine, and of one that is elsewhere. Nothing is changed.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError, isAppError } from "../core/errors.ts";
import { localSocketPath } from "../node/local-socket.ts";
import { readVersion } from "../node/version.ts";
import { findRunning } from "../server/instance.ts";
import { serverDataFolder } from "../server/settings.ts";
import { OVERVIEW_ROUTES, type Overview } from "../wire/v4/api/overview-routes.ts";
import { PEOPLE_ROUTES } from "../wire/v4/api/people-routes.ts";
import type { Context } from "./context.ts";
import { space } from "./doctor-checks.ts";
import type { Finding } from "./doctor-finding.ts";
import { plural } from "./format-bytes.ts";
import { formatDuration, formatTimeAndAge } from "./format-time.ts";
import { reachLocalServer, type ServerAccess } from "./server-access.ts";
import { shownText } from "./shown-path.ts";

/** Clocks that are further apart confuse logins, schedules and whoever reads logs. */
const SKEW_MS = 60_000;
const DAY_MS = 86_400_000;
const SCRUB_DAYS = 45;

/** Nothing where no server keeps its data here. */
export async function localServerFindings(context: Context): Promise<Finding[]> {
  const data = serverDataFolder(context.config);
  const found = await stat(join(data, "server.db")).catch(() => undefined);
  if (found === undefined) return [];
  const running = await findRunning(data);
  return [
    await space("server", data),
    await modes(data),
    ...(running === undefined ? [await stopped(data)] : await runningFindings(context, data)),
  ];
}

/** Whoever reads these can read accounts, sign as the server, or open its certificate's key. */
async function modes(data: string): Promise<Finding> {
  const check = "server permissions";
  if (process.platform === "win32") return { check, state: "ok", detail: "not looked at on Windows" };
  const open: string[] = [];
  for (const name of ["", "server.db", "auth-secret", "tls", "vaults"]) {
    const found = await stat(join(data, name)).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o077) !== 0) open.push(join(data, name));
  }
  if (open.length === 0) return { check, state: "ok", detail: "only the server's user can read its data" };
  const shown = open.map(shownText).join(" ");
  const facts = { count: open.length };
  return { check, state: "problem", detail: `others can read ${shown}`, advice: `chmod go= ${shown}`, facts };
}

async function stopped(data: string): Promise<Finding> {
  const left = await readdir(join(data, "tmp")).catch(() => [] as string[]);
  const more = left.length === 0 ? "" : `; ${plural(left.length, "temporary file")} of it will be swept at its start`;
  const advice = "Start it: cyberbackup up (or serve). `cyberbackup logs` says why it stopped.";
  const facts = { state: "stopped", count: left.length };
  return { check: "server", state: "advice", detail: `the server of this machine does not run${more}`, advice, facts };
}

async function runningFindings(context: Context, data: string): Promise<Finding[]> {
  const access = reachLocalServer(context, localSocketPath(data));
  const { clock } = context.host;
  try {
    const { version, uptimeMs } = await access.people.call(PEOPLE_ROUTES.status, {});
    const overview = await access.people.call(OVERVIEW_ROUTES.overview, {});
    return [
      versionFinding("server", version, `up for ${formatDuration(uptimeMs)}`),
      alertsFinding(overview),
      backupsFinding(overview),
      ...overview.vaults.map((vault) => scrubFinding(vault, clock.now())),
    ];
  } catch (error) {
    return [failed("server", error)];
  } finally {
    await access.transport.close();
  }
}

function versionFinding(check: string, version: string, more: string): Finding {
  const own = readVersion();
  const facts = { version };
  if (version === own) return { check, state: "ok", detail: `version ${version}, ${more}`, facts };
  const detail = `version ${version}, and this program is ${own}; ${more}`;
  return {
    check,
    state: "advice",
    detail,
    advice: "Update the older of the two, and restart the server after it.",
    facts,
  };
}

function alertsFinding({ alerts }: Overview): Finding {
  const check = "alerts";
  const grave = alerts.filter(({ severity }) => severity === "danger").length;
  const facts = { count: alerts.length, problems: grave };
  if (alerts.length === 0) return { check, state: "ok", detail: "none is open", facts };
  const kinds = [...new Set(alerts.map(({ kind }) => kind))].join(", ");
  const advice = "The page says for each what to do: Overview.";
  return {
    check,
    state: grave > 0 ? "problem" : "advice",
    detail: `${plural(alerts.length, "alert")}: ${kinds}`,
    advice,
    facts,
  };
}

function backupsFinding({ devices, protectedDevices }: Overview): Finding {
  const check = "devices";
  const facts = { devices, count: protectedDevices };
  const detail = `${protectedDevices} of ${plural(devices, "device")} backed up as planned`;
  if (devices === protectedDevices) return { check, state: "ok", detail, facts };
  return { check, state: "advice", detail, advice: "See that their machines are on and their agents run.", facts };
}

function scrubFinding(
  { name, oldestReadAt, damagedBlocks, problem }: Overview["vaults"][number],
  now: number,
): Finding {
  const check = `vault ${shownText(name)}`;
  if (problem !== null) {
    const advice = "The server's log says more: cyberbackup logs.";
    return { check, state: "problem", detail: `it cannot be used (${problem})`, advice, facts: { code: problem } };
  }
  const facts = { blocks: damagedBlocks, ...(oldestReadAt === null ? {} : { ageMs: now - oldestReadAt }) };
  if (damagedBlocks > 0) {
    const advice = "Back up again: what the sources still have is stored anew. Check the disk.";
    return { check, state: "problem", detail: `${plural(damagedBlocks, "block")} damaged`, advice, facts };
  }
  if (oldestReadAt === null) return { check, state: "ok", detail: "nothing is stored yet", facts };
  const detail = `all of it was read since ${formatTimeAndAge(oldestReadAt, now)}`;
  if (now - oldestReadAt < SCRUB_DAYS * DAY_MS) return { check, state: "ok", detail, facts };
  return { check, state: "advice", detail, advice: "Let it scrub: cyberbackup server run scrub.", facts };
}

/** Of a server elsewhere: how far its clock is from ours, and its version. */
export async function remoteServerFindings(context: Context, server: ServerAccess): Promise<Finding[]> {
  const { origin, pin, hasAccount, transport } = server;
  const trust = pin ? `pinned as ${pin.toHex().slice(0, 16)}…` : "trusted by a public authority";
  const who = hasAccount ? "an account is logged in" : "no account is logged in";
  const findings: Finding[] = [{ check: "server", state: "ok", detail: `${origin} answers, ${trust}; ${who}` }];
  try {
    const answer = await transport.send({ method: "GET", path: "/health/live", headers: {} });
    for await (const _ of answer.body) {
      // Read to its end.
    }
    findings.push(...clockFinding(answer.header("date"), context.host.clock.now()));
    if (hasAccount) {
      const { version } = await server.people.call(PEOPLE_ROUTES.status, {});
      findings.push(versionFinding("server version", version, "as it says"));
    }
  } catch (error) {
    findings.push(failed("server", error));
  }
  return findings;
}

/** The header counts in seconds. */
function clockFinding(date: string | undefined, now: number): Finding[] {
  const theirs = Date.parse(date ?? "");
  if (Number.isNaN(theirs)) return [];
  const skewMs = Math.round((now - theirs) / 1000) * 1000;
  const check = "clock";
  const facts = { skewMs };
  if (Math.abs(skewMs) <= SKEW_MS) return [{ check, state: "ok", detail: "as the server's, to a minute", facts }];
  const detail = `${formatDuration(Math.abs(skewMs))} ${skewMs > 0 ? "ahead of" : "behind"} the server's`;
  return [
    { check, state: "advice", detail, advice: "Let both machines set their clocks by the network (NTP).", facts },
  ];
}

function failed(check: string, error: unknown): Finding {
  const known = isAppError(error)
    ? error
    : new AppError("internal", { cause: error, context: { detail: "a check failed." } });
  return { check, state: "problem", detail: known.message, advice: known.hint, facts: { code: known.code } };
}
