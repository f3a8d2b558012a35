// What `doctor` looks at that needs no vault: the runtime, the home folder, room on the disks, what the system can do.

import { mkdir, mkdtemp, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { hasPosix } from "../client/posix.ts";
import type { Context } from "./context.ts";
import { formatBytes, plural } from "./format-bytes.ts";
import type { FindingJson } from "./json-schema.ts";
import { shownText } from "./shown-path.ts";

/** `engines` in package.json. */
const OLDEST_NODE = [24, 12] as const;
const LITTLE_SPACE_BYTES = 2 ** 30;

export async function machineFindings({ config }: Context): Promise<FindingJson[]> {
  return [
    runtime(),
    posix(),
    await home(config.home),
    await homeModes(config.home),
    await space("home", config.home),
    ...(await gateway(config.home)),
  ];
}

/** How much room there is where `path` lies. */
export async function space(what: string, path: string): Promise<FindingJson> {
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

export function runtime(): FindingJson {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isNew = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const detail = `Node ${process.versions.node} on ${process.platform} ${process.arch}`;
  if (isNew) return { check: "runtime", state: "ok", detail };
  return { check: "runtime", state: "problem", detail, advice: `Install Node ${OLDEST_NODE.join(".")} or later.` };
}

function posix(): FindingJson {
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

async function home(path: string): Promise<FindingJson> {
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
async function homeModes(path: string): Promise<FindingJson> {
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
async function gateway(path: string): Promise<FindingJson[]> {
  const folder = join(path, "gateway");
  if (!(await stat(folder).catch(() => undefined))) return [];
  const { countClients } = await import("../gateway/client-registry.ts");
  const detail = `clients of CyberBackup 3 are served here (${plural(countClients(folder), "client")} registered)`;
  const advice = "Protocol 3 is weak (docs/protocol-v3.md): move its clients to version 4, and retire names that have.";
  return [{ check: "gateway", state: "advice", detail, advice }];
}
