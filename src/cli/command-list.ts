// Every command by name, in the order of the help. The summaries stand here so that the list needs none of the files.

import type { Command } from "commander";
import type { Cli } from "./program.ts";

type CommandFile = { define(command: Command, cli: Cli): void };

type ListedCommand = {
  readonly name: string;
  readonly group: string;
  readonly summary: string;
  /** Its standard output is a file's own bytes. */
  readonly writesData?: boolean;
  /** It is sure to read the vault, so whoever has the passphrase may begin to unlock. */
  readonly unlocks?: boolean;
  load(): Promise<CommandFile>;
};

const START = "Backing up";
const LOOK = "Looking and restoring";
const KEEP = "Keeping and forgetting";
const CARE = "Taking care";
const KEYS = "Keys and machines";
const SERVER = "A server";
const MORE = "More";

export const COMMANDS: readonly ListedCommand[] = [
  {
    name: "init",
    group: START,
    summary: "Make a vault, print its recovery key, and enrol this machine.",
    load: () => import("./commands/init.ts"),
  },
  { name: "backup", group: START, summary: "Back up files and folders.", load: () => import("./commands/backup.ts") },
  {
    name: "plan",
    group: START,
    summary: "Say what is backed up by itself, and when.",
    load: () => import("./commands/plan.ts"),
  },
  {
    name: "agent",
    group: START,
    summary: "Carry plans out without anybody looking.",
    load: () => import("./commands/agent.ts"),
  },
  {
    name: "snapshots",
    unlocks: true,
    group: LOOK,
    summary: "List the snapshots.",
    load: () => import("./commands/snapshots.ts"),
  },
  {
    name: "ls",
    unlocks: true,
    group: LOOK,
    summary: "List a folder of a snapshot.",
    load: () => import("./commands/ls.ts"),
  },
  {
    name: "find",
    unlocks: true,
    group: LOOK,
    summary: "Find files by name.",
    load: () => import("./commands/find.ts"),
  },
  {
    name: "versions",
    unlocks: true,
    group: LOOK,
    summary: "List the versions of one file across snapshots.",
    load: () => import("./commands/versions.ts"),
  },
  {
    name: "diff",
    unlocks: true,
    group: LOOK,
    summary: "Compare two snapshots.",
    load: () => import("./commands/diff.ts"),
  },
  {
    name: "cat",
    unlocks: true,
    group: LOOK,
    writesData: true,
    summary: "Write one file to standard output.",
    load: () => import("./commands/cat.ts"),
  },
  {
    name: "dump",
    unlocks: true,
    group: LOOK,
    writesData: true,
    summary: "Write a file or folder to standard output, as tar or zip.",
    load: () => import("./commands/dump.ts"),
  },
  {
    name: "restore",
    unlocks: true,
    group: LOOK,
    summary: "Restore files to a folder.",
    load: () => import("./commands/restore.ts"),
  },
  {
    name: "stats",
    group: LOOK,
    summary: "Show how much is stored, and how much that saves.",
    load: () => import("./commands/stats.ts"),
  },
  {
    name: "forget",
    group: KEEP,
    summary: "Move snapshots to the trash by rules that say which to keep.",
    load: () => import("./commands/forget.ts"),
  },
  {
    name: "undelete",
    group: KEEP,
    summary: "Bring snapshots back from the trash.",
    load: () => import("./commands/undelete.ts"),
  },
  {
    name: "pin",
    group: KEEP,
    summary: "Keep a snapshot whatever the rules say.",
    load: () => import("./commands/pin.ts"),
  },
  { name: "unpin", group: KEEP, summary: "Let the rules decide again.", load: () => import("./commands/unpin.ts") },
  {
    name: "prune",
    group: KEEP,
    summary: "Empty the trash and free the space that nothing needs.",
    load: () => import("./commands/prune.ts"),
  },
  {
    name: "verify",
    group: CARE,
    summary: "Prove that everything stored is whole and can be restored.",
    load: () => import("./commands/verify.ts"),
  },
  {
    name: "scrub",
    group: CARE,
    summary: "Read every stored block and set damaged ones aside, without any key.",
    load: () => import("./commands/scrub.ts"),
  },
  {
    name: "rebuild",
    group: CARE,
    summary: "Make the vault's index anew from what is stored.",
    load: () => import("./commands/rebuild.ts"),
  },
  {
    name: "doctor",
    group: CARE,
    summary: "Look for problems and say how to mend them.",
    load: () => import("./commands/doctor.ts"),
  },
  {
    name: "log",
    group: CARE,
    summary: "Show what changed in the vault, and when.",
    load: () => import("./commands/log.ts"),
  },
  {
    name: "key",
    group: KEYS,
    summary: "List, add and remove the keys that open the vault.",
    load: () => import("./commands/key.ts"),
  },
  {
    name: "device",
    group: KEYS,
    summary: "List, enrol and revoke the machines that back up here.",
    load: () => import("./commands/device.ts"),
  },
  {
    name: "enroll",
    group: KEYS,
    summary: "Make this machine a device of a vault by an enrolment code.",
    load: () => import("./commands/enroll.ts"),
  },
  {
    name: "login",
    group: KEYS,
    summary: "Log in to a server, to administer or to read.",
    load: () => import("./commands/login.ts"),
  },
  {
    name: "logout",
    group: KEYS,
    summary: "End that login.",
    load: () => import("./commands/logout.ts"),
  },
  {
    name: "writer",
    group: KEYS,
    summary: "Hand out the right to back up, and nothing else.",
    load: () => import("./commands/writer.ts"),
  },
  {
    name: "gateway",
    group: MORE,
    summary: "Take uploads of CyberBackup 3 clients.",
    load: () => import("./commands/gateway.ts"),
  },
  {
    name: "v3",
    group: MORE,
    summary: "Move from CyberBackup 3: send to an old server, import what it received.",
    load: () => import("./commands/v3.ts"),
  },
  {
    name: "up",
    group: SERVER,
    summary: "Start a server in the background, and say how to reach and to own it.",
    load: () => import("./commands/up.ts"),
  },
  {
    name: "down",
    group: SERVER,
    summary: "Stop that server; what is running may end first.",
    load: () => import("./commands/down.ts"),
  },
  {
    name: "status",
    group: SERVER,
    summary: "Show what runs on this machine.",
    load: () => import("./commands/status.ts"),
  },
  {
    name: "logs",
    group: SERVER,
    summary: "Show what the server has written down.",
    load: () => import("./commands/logs.ts"),
  },
  {
    name: "serve",
    group: SERVER,
    summary: "Run a server that keeps vaults for many machines.",
    load: () => import("./commands/serve.ts"),
  },
  {
    name: "web",
    group: SERVER,
    summary: "Serve the page alone, for a server elsewhere.",
    load: () => import("./commands/web.ts"),
  },
  {
    name: "server",
    group: SERVER,
    summary: "Look at a server that runs, and set its jobs going.",
    load: () => import("./commands/server.ts"),
  },
  {
    name: "config",
    group: MORE,
    summary: "Show every setting and where its value comes from.",
    load: () => import("./commands/config.ts"),
  },
  {
    name: "completion",
    group: MORE,
    summary: "Print a completion script for a shell.",
    load: () => import("./commands/completion.ts"),
  },
  {
    name: "demo",
    group: MORE,
    summary: "Start a server, enrol, back up, change, restore and compare: all thrown away again.",
    load: () => import("./commands/demo.ts"),
  },
];
