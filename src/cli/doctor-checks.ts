// What `doctor` looks at that needs no vault: the runtime, the home folder, room on the disks, what the system can do.

import { mkdir, mkdtemp, readdir, rm, stat, statfs } from "node:fs/promises";
import { basename, join } from "node:path";
import { PLACE_FILE } from "../client/agent/plan-files.ts";
import { hasPosix } from "../client/posix.ts";
import { sweepTemporaries } from "../node/temporaries.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./doctor-finding.ts";
import { formatBytes, plural } from "./format-bytes.ts";
import { takeHold } from "./hold-file.ts";
import { shownText } from "./shown-path.ts";

/** `engines` in package.json. */
const OLDEST_NODE = [24, 12] as const;
const LITTLE_SPACE_BYTES = 2 ** 30;

export async function machineFindings({ config, host }: Context): Promise<Finding[]> {
  return [
    runtime(),
    posix(),
    await home(config.home),
    await homeModes(config.home),
    await space("home", config.home),
    ...(await gateway(config.home)),
    await temporaries(config.home, host.clock.now()),
  ];
}

/** What the settings say that will not do what somebody meant. */
export function settingsFindings({ resolved }: Context): Finding[] {
  const check = "settings";
  const { warnings, file } = resolved;
  if (warnings.length === 0) return [{ check, state: "ok", detail: file === undefined ? "no file" : shownText(file) }];
  const advice = "docs/config.md lists every setting; `cyberbackup config` shows where each value comes from.";
  const facts = { count: warnings.length };
  return [{ check, state: "advice", detail: warnings.map(shownText).join(" "), advice, facts }];
}

/** Plans without an agent are carried out by nobody. */
export async function agentFinding({ config }: Context): Promise<Finding> {
  const check = "agent";
  const plans = await readdir(join(config.home, "plans"), { recursive: true }).catch(() => [] as string[]);
  const count = plans.filter((name) => name.endsWith(".json") && basename(name) !== PLACE_FILE).length;
  const isRunning = await isHeld(join(config.home, "agent", ".agent.lock"));
  const facts = { plans: count, state: isRunning ? "running" : "stopped" };
  if (isRunning) return { check, state: "ok", detail: `runs, ${plural(count, "plan")}`, facts };
  if (count === 0) return { check, state: "ok", detail: "none is needed: there are no plans", facts };
  const advice = "Run `cyberbackup agent install`, or `cyberbackup agent run`; without it no plan is carried out.";
  return {
    check,
    state: "problem",
    detail: `it does not run, and ${plural(count, "plan")} ${count === 1 ? "waits" : "wait"} for it`,
    advice,
    facts,
  };
}

/** Whether a process holds the lock; where none ever did there is no file. */
async function isHeld(path: string): Promise<boolean> {
  if (!(await stat(path).catch(() => undefined))) return false;
  const hold = takeHold(path);
  hold?.release();
  return hold === undefined;
}

async function temporaries(home: string, now: number): Promise<Finding> {
  const check = "temporary files";
  const count = await sweepTemporaries(home, now, { dryRun: true });
  if (count === 0) return { check, state: "ok", detail: "nothing was left behind", facts: { count } };
  const detail = `${plural(count, "file")} of runs that were cut short`;
  return { check, state: "advice", detail, advice: "Harmless; the next backup removes them.", facts: { count } };
}

/** How much room there is where `path` lies. */
export async function space(what: string, path: string): Promise<Finding> {
  const check = `disk space, ${what}`;
  try {
    const { bavail, bsize } = await statfs(path);
    const free = bavail * bsize;
    const detail = `${formatBytes(free)} free`;
    if (free >= LITTLE_SPACE_BYTES) return { check, state: "ok", detail };
    return { check, state: "advice", detail, advice: "Free some space: a full disk stops backups." };
  } catch (error) {
    return { check, state: "advice", detail: (error as Error).message, advice: "Look whether the disk is there." };
  }
}

export function runtime(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isNew = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const detail = `Node ${process.versions.node} on ${process.platform} ${process.arch}`;
  if (isNew) return { check: "runtime", state: "ok", detail };
  return { check: "runtime", state: "problem", detail, advice: `Install Node ${OLDEST_NODE.join(".")} or later.` };
}

function posix(): Finding {
  const check = "file metadata";
  if (hasPosix())
    return { check, state: "ok", detail: "extended attributes, ACLs, holes and special files can be kept" };
  return {
    check,
    state: "advice",
    detail: "extended attributes, ACLs, holes and special files cannot be kept here",
    advice: "Contents, names, modes and times are kept. Everything else needs Linux and the package koffi.",
  };
}

async function home(path: string): Promise<Finding> {
  const check = "home folder";
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await rm(await mkdtemp(join(path, ".doctor-")), { recursive: true });
    return { check, state: "ok", detail: shownText(path) };
  } catch (error) {
    const advice = "Make it writable for you, or name another with CYBERBACKUP_HOME.";
    return { check, state: "problem", detail: shownText((error as Error).message), advice };
  }
}

/** Device files hold keys, files of servers API keys: nobody else may read them. */
async function homeModes(path: string): Promise<Finding> {
  const check = "home permissions";
  if (process.platform === "win32") return { check, state: "ok", detail: "not looked at on Windows" };
  const open: string[] = [];
  for (const folder of ["devices", "servers", "enrolling"].map((name) => join(path, name))) {
    const names = await readdir(folder).catch(() => [] as string[]);
    for (const name of names) if (((await stat(join(folder, name))).mode & 0o077) !== 0) open.push(join(folder, name));
  }
  if (open.length === 0) return { check, state: "ok", detail: "only you can read this machine's keys" };
  return {
    check,
    state: "problem",
    detail: `others can read ${open.map(shownText).join(", ")}`,
    advice: `chmod 600 ${open.map(shownText).join(" ")}`,
  };
}

/** Nothing where no gateway has ever run; else a reminder that protocol 3 is weak. */
async function gateway(path: string): Promise<Finding[]> {
  const folder = join(path, "gateway");
  if (!(await stat(folder).catch(() => undefined))) return [];
  const { countClients } = await import("../gateway/client-registry.ts");
  const detail = `clients of CyberBackup 3 are served here (${plural(countClients(folder), "client")} registered)`;
  const advice = "Protocol 3 is weak (docs/protocol-v3.md): move its clients to version 4, and retire names that have.";
  return [{ check: "gateway", state: "advice", detail, advice }];
}
