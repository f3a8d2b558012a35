// What may stand in a log, a crash report or a support bundle: a list of field names, each with the one type of value that it may
// have. What is not on the list is dropped; what is on it and does not fit is replaced by `[hidden]`. It is no filter that looks
// for secrets, which would know only those that somebody thought of. docs/observability.md shows the table.

import { ERRORS, isAppError } from "./errors.ts";
import { type LogFields, Said } from "./log.ts";

export type SafeValue = string | number | boolean;
export type SafeFields = Record<string, SafeValue>;

const HIDDEN = "[hidden]";
/** Of ids so much is kept: enough to find one, and of a key that was taken for an id too little to use. */
const ID_CHARACTERS = 12;

type Fit = (value: unknown) => SafeValue | undefined;

const id: Fit = (value) =>
  typeof value === "string" && /^[0-9a-f]{16,64}$/.test(value) ? value.slice(0, ID_CHARACTERS) : undefined;
/** Made by a server for each request, and worth nothing but to find it again. */
const requestId: Fit = (value) => (typeof value === "string" && /^[0-9a-f]{24}$/.test(value) ? value : undefined);
const number: Fit = (value) => (typeof value === "number" && Number.isFinite(value) ? value : undefined);
const boolean: Fit = (value) => (typeof value === "boolean" ? value : undefined);
const spoken: Fit = (value) => (value instanceof Said ? value.text : undefined);
const octal: Fit = (value) => (typeof value === "string" && /^[0-7]{3,4}$/.test(value) ? value : undefined);
const version: Fit = (value) =>
  typeof value === "string" && /^v?\d{1,4}(\.\d{1,4}){1,3}(-(alpha|beta|rc)(\.\d{1,4})?)?$/.test(value)
    ? value
    : undefined;
const oneOf = (...words: readonly string[]): Fit => {
  const known = new Set(words);
  return (value) => (typeof value === "string" && known.has(value) ? value : undefined);
};
const registered: Fit = (value) => (typeof value === "string" && routeNames.has(value) ? value : undefined);

/** Names of routes, from the server's own table. */
const routeNames = new Set<string>(["none"]);

export function nameRoutes(names: Iterable<string>): void {
  for (const name of names) routeNames.add(name);
}

/** A code of our own table, or one of the platform's: ENOSPC, ERR_HTTP2_ERROR, UND_ERR_SOCKET. */
const code: Fit = (value) => {
  if (typeof value !== "string") return undefined;
  const isKnown =
    value === "ok" ||
    Object.hasOwn(ERRORS, value) ||
    /^(E[A-Z]{2,5}[A-Z0-9]{0,12}|(UND_)?ERR_[A-Z0-9_]{2,50})$/.test(value);
  return isKnown ? value : undefined;
};

const STATES = oneOf(
  ...[
    "waiting",
    "running",
    "paused",
    "done",
    "failed",
    "cancelled",
    "partial",
    "succeeded",
    "missed",
    "skipped",
    "lost",
  ],
  ...["sent", "given-up", "raised", "cleared", "started", "stopped", "fresh", "stale", "ok"],
);

const KINDS = oneOf(
  ...["retention", "gc", "scrub", "check", "rebuild", "trash", "database-backup", "sweep"],
  ...["backup", "verify", "restore", "cancel", "pause", "resume"],
  ...["email", "webhook", "ntfy", "slack", "discord", "ping"],
  ...["person", "key", "device", "machine", "server", "nobody", "schedule", "session", "snapshot", "pack", "vault"],
  ...["never-backed-up", "device-silent", "plan-overdue", "run-failed", "fewer-files", "many-changed", "damage"],
  ...["disk-nearly-full", "job-failed", "vault-unusable", "index-refused", "certificate-ending"],
);

/** What the agent tells (client/agent/agent-event.ts). */
const AGENT_EVENTS = [
  ...[
    "started",
    "stopped",
    "plan-problem",
    "skipped",
    "run-started",
    "run-ended",
    "slept",
    "connected",
    "disconnected",
  ],
  ...["command", "plan-taken", "plan-refused", "trouble"],
];

const FIELDS: Readonly<Record<string, Fit>> = {
  ...each(["vault", "device", "session", "snapshot", "packId", "pack", "job", "plan", "client", "run"], id),
  ...each(["alert", "channel", "notification", "ping", "invitation", "person"], id),
  requestId,
  ...each(["code", "outcome", "cause", "errno"], code),
  ...each(["reason", "detail", "what", "next", "stage"], spoken),
  ...each(["state", "was"], STATES),
  ...each(["kind", "caller"], KINDS),
  statement: oneOf(
    ...["genesis", "device-add", "device-revoke", "keyslot-add", "keyslot-remove", "commit", "remove", "undelete"],
    ...["device-trust", "purge", "pin", "unpin"],
  ),
  event: oneOf(...AGENT_EVENTS),
  severity: oneOf("info", "notice", "warning", "problem", "critical", "debug", "warn", "error"),
  level: oneOf("debug", "info", "warn", "error", "silent"),
  method: oneOf("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"),
  platform: oneOf("linux", "darwin", "win32", "freebsd", "openbsd", "android", "sunos", "aix"),
  arch: oneOf("x64", "arm64", "arm", "ia32", "riscv64", "ppc64", "s390x", "loong64"),
  program: oneOf("serve", "gateway", "agent", "cli", "server"),
  route: registered,
  ...each(["version", "node"], version),
  mode: octal,
  ...each(
    ["bytes", "sizeBytes", "bytesIn", "bytesOut", "freeBytes", "freedBytes", "storedBytes", "addedBytes"],
    number,
  ),
  ...each(["durationMs", "waitMs", "retryInMs", "ageMs", "uptimeMs", "lagMs", "skewMs", "limitMs", "inMs"], number),
  ...each(["status", "exit", "port", "pid", "seq", "blockNo", "attempt", "tries", "line"], number),
  ...each(
    ["count", "entries", "files", "changed", "folders", "blocks", "packs", "snapshots", "vaults", "devices"],
    number,
  ),
  ...each(
    ["connections", "requests", "runs", "plans", "problems", "removed", "waiting", "sent", "failed", "at"],
    number,
  ),
  ...each(["dryRun", "isAgain", "isLate", "isLocal", "hasGateway", "isEncrypted"], boolean),
};

/** What of `fields` may be written. */
export function safeFields(fields: LogFields): SafeFields {
  const safe: SafeFields = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (name === "error") Object.assign(safe, describeError(value));
    else if (Object.hasOwn(FIELDS, name)) safe[name] = FIELDS[name]!(value) ?? HIDDEN;
  }
  return safe;
}

/** What may be written of something that was thrown: class, codes, and frames of the stack, never its message. */
export function describeError(thrown: unknown): SafeFields {
  if (!(thrown instanceof Error)) return { error: typeof thrown };
  const { cause } = thrown;
  const inner = cause instanceof Error ? (codeOf(cause) ?? className(cause)) : undefined;
  const call = oneOfCalls((thrown as { syscall?: unknown }).syscall);
  const frames = safeFrames(thrown.stack);
  const own = codeOf(thrown);
  return {
    error: className(thrown),
    ...(own === undefined ? {} : { code: own }),
    ...(call === undefined ? {} : { call }),
    ...(inner === undefined ? {} : { cause: inner }),
    ...(frames.length === 0 ? {} : { stack: frames.map(shownFrame).join("\n") }),
  };
}

export type SafeFrame = {
  readonly function: string;
  /** Below the program's own folder, or a module of Node or of a package. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly isOwn: boolean;
};

const MAX_FRAMES = 16;
/** The folder that holds the sources, as stacks name it; none where they are bundled, so that no frame counts as ours. */
const ROOT = /^(.*\/)(?:src|dist)\/core\/[\w.-]+$/.exec(import.meta.url)?.[1];
const ROOTS = ROOT === undefined ? [] : [ROOT, decodeURIComponent(new URL(ROOT).pathname)];

/** Frames in our own source, in Node and in packages; of all others, and of their paths, nothing. Innermost first. */
export function safeFrames(stack: string | undefined): SafeFrame[] {
  const frames: SafeFrame[] = [];
  for (const text of (stack ?? "").split("\n")) {
    const found = /^\s+at (?:(.{1,200}?) \()?([^()]{1,1000}):(\d{1,7}):(\d{1,7})\)?$/.exec(text);
    const file = found && shownFile(found[2]!);
    if (!found || !file) continue;
    const name = /^[\w$.#<> ]{1,80}(?: \[as [\w$.#]{1,60}\])?$/.test(found[1] ?? "") ? found[1]! : "";
    frames.push({ function: name, ...file, line: Number(found[3]), column: Number(found[4]) });
    if (frames.length === MAX_FRAMES) break;
  }
  return frames;
}

function shownFile(file: string): Pick<SafeFrame, "file" | "isOwn"> | undefined {
  if (/^node:[\w/]{1,60}$/.test(file)) return { file, isOwn: false };
  const packaged = /[\\/]node_modules[\\/]((?:@[\w.-]{1,60}[\\/])?[\w.-]{1,60})[\\/]/.exec(file);
  if (packaged) return { file: packaged[1]!, isOwn: false };
  const root = ROOTS.find((start) => file.startsWith(start));
  const inner = root === undefined ? undefined : file.slice(root.length);
  return inner !== undefined && /^(src|dist)\/[\w./-]{1,120}$/.test(inner) ? { file: inner, isOwn: true } : undefined;
}

function shownFrame({ function: name, file, line, column }: SafeFrame): string {
  return `at ${name === "" ? "" : `${name} `}(${file}:${line}:${column})`;
}

/** Names of classes end so; a name that somebody has given does not become one. */
export function className(error: Error): string {
  const { name } = error;
  return typeof name === "string" && /^([A-Z][A-Za-z]{0,40})?Error$/.test(name) ? name : "Error";
}

export function codeOf(error: Error): string | undefined {
  return isAppError(error) ? error.code : (code((error as { code?: unknown }).code) as string | undefined);
}

const oneOfCalls = oneOf(
  ...[
    "open",
    "read",
    "write",
    "close",
    "mkdir",
    "mkdtemp",
    "rename",
    "unlink",
    "stat",
    "lstat",
    "fstat",
    "fsync",
    "rmdir",
  ],
  ...["scandir", "copyfile", "link", "symlink", "access", "ftruncate", "utime", "chmod", "statfs", "realpath", "spawn"],
  ...["connect", "listen", "bind", "getaddrinfo", "accept", "shutdown"],
);

function each(names: readonly string[], fit: Fit): Record<string, Fit> {
  return Object.fromEntries(names.map((name) => [name, fit]));
}
