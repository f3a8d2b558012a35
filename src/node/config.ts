// Fills the table of core/config-schema in: defaults < file < environment < flags, and remembers where each value is from.
// The file is plain JSON: the docs and `cyberbackup config` explain every key, which is what comments would be for, and a
// second parser could read a file otherwise than an editor does.
// It must never take a secret from a file or flag, nor put a secret's value into an error or a row.

import { readFile } from "node:fs/promises";
import { posix, win32 } from "node:path";
import {
  CONFIG,
  CONFIG_FILE_VARIABLE,
  CONFIG_KEYS,
  type Config,
  type ConfigKey,
  type ConfigSource,
  configSchema,
  ENV_PREFIX,
  envName,
  flagName,
  isConfigKey,
  suggest,
} from "../core/config-schema.ts";
import { AppError } from "../core/errors.ts";

export type Origin = "default" | `file ${string}` | `env ${string}` | `flag ${string}`;

export type ConfigInput = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By key. Text is read as a variable's would be; undefined means that the flag was not given. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly platform: string;
  /** The user's home folder. */
  readonly userHome: string;
  /** The text of a file, or undefined when there is none. */
  readonly readText: (path: string) => Promise<string | undefined>;
};

export type ResolvedConfig = {
  readonly values: Config;
  readonly origins: Readonly<Record<ConfigKey, Origin>>;
  /** The file that was read, if there was one. */
  readonly file: string | undefined;
  /** Variables that look like ours and are none, in words. They are no errors: a newer version may know them. */
  readonly warnings: readonly string[];
};

export type ConfigRow = {
  readonly key: ConfigKey;
  readonly value: string;
  readonly origin: Origin;
  readonly description: string;
};

type Found = { readonly value: unknown; readonly origin: Origin };
type Layer = ReadonlyMap<ConfigKey, Found>;

const SECRET_MASK = "••••••";

export async function loadConfig(input: ConfigInput): Promise<ResolvedConfig> {
  const env = readEnv(input.env);
  const flags = readFlags(input.flags ?? {});
  const home = flags.get("home") ?? env.get("home") ?? { value: defaultHome(input), origin: "default" };
  const { file, layer } = await readConfigFile(input, String(home.value));

  const merged = new Map<ConfigKey, Found>();
  for (const key of CONFIG_KEYS) merged.set(key, { value: CONFIG[key].default, origin: "default" });
  merged.set("home", home);
  for (const each of [layer, env, flags]) for (const [key, found] of each) merged.set(key, found);

  return { values: judge(merged), origins: originsOf(merged), file, warnings: unknownVariables(input.env) };
}

/** One row for each setting, secrets masked, for `cyberbackup config`. */
export function explainConfig({ values, origins }: ResolvedConfig): ConfigRow[] {
  return CONFIG_KEYS.map((key) => {
    const value = values[key];
    const shown =
      value === undefined
        ? ""
        : CONFIG[key].secret
          ? SECRET_MASK
          : typeof value === "object"
            ? JSON.stringify(value)
            : String(value);
    return { key, value: shown, origin: origins[key], description: CONFIG[key].description };
  });
}

/** XDG Base Directory (relative values are to be ignored), Apple's Application Support, Windows' local application data. */
export function defaultHome({ env, platform, userHome }: Pick<ConfigInput, "env" | "platform" | "userHome">): string {
  if (platform === "win32") {
    return win32.join(env.LOCALAPPDATA || win32.join(userHome, "AppData", "Local"), "CyberBackup");
  }
  if (platform === "darwin") return posix.join(userHome, "Library", "Application Support", "CyberBackup");
  const data = env.XDG_DATA_HOME;
  return posix.join(data && posix.isAbsolute(data) ? data : posix.join(userHome, ".local", "share"), "cyberbackup");
}

/** The `readText` of the real disk. */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new AppError("io", { cause, context: { path, detail: (cause as Error).message } });
  }
}

function readEnv(env: ConfigInput["env"]): Layer {
  const layer = new Map<ConfigKey, Found>();
  for (const key of CONFIG_KEYS) {
    const value = env[envName(key)];
    if (!value || !allows(key, "env")) continue;
    layer.set(key, { value: CONFIG[key].parse(value), origin: `env ${envName(key)}` });
  }
  return layer;
}

function readFlags(flags: Readonly<Record<string, unknown>>): Layer {
  const layer = new Map<ConfigKey, Found>();
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const known = requireKey(key, "flag", "the flags");
    layer.set(known, {
      value: typeof value === "string" ? CONFIG[known].parse(value) : value,
      origin: `flag ${flagName(known)}`,
    });
  }
  return layer;
}

async function readConfigFile(input: ConfigInput, home: string): Promise<{ file: string | undefined; layer: Layer }> {
  const named = input.env[CONFIG_FILE_VARIABLE] || undefined;
  const path = named ?? (input.platform === "win32" ? win32 : posix).join(home, "config.json");
  const content = await input.readText(path);
  if (content === undefined) {
    if (named) throw invalid(`${CONFIG_FILE_VARIABLE} names ${path}, which does not exist.`);
    return { file: undefined, layer: new Map() };
  }
  return { file: path, layer: parseConfigFile(content, path) };
}

function parseConfigFile(content: string, path: string): Layer {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw invalid(`${path} is not JSON${placeOf(cause)}. Correct it, or move it away to begin without it.`, cause);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw invalid(`${path} must hold one JSON object.`);
  }
  const layer = new Map<ConfigKey, Found>();
  for (const [key, value] of Object.entries(parsed)) {
    layer.set(requireKey(key, "file", path), { value, origin: `file ${path}` });
  }
  return layer;
}

/** Where the parser stumbled; never what it found there. */
function placeOf(cause: unknown): string {
  const found = /\(line \d+ column \d+\)/.exec((cause as Error).message)?.[0];
  return found === undefined ? "" : ` ${found}`;
}

function requireKey(key: string, source: ConfigSource, where: string): ConfigKey {
  if (!isConfigKey(key)) {
    const meant = suggest(
      key,
      CONFIG_KEYS.filter((candidate) => allows(candidate, source)),
    );
    throw invalid(
      `there is no setting ${JSON.stringify(key)} (in ${where}).${meant ? ` Did you mean "${meant}"?` : ""}`,
    );
  }
  if (!allows(key, source)) throw invalid(`${key} cannot be set in ${where}; set ${envName(key)}.`);
  return key;
}

function allows(key: ConfigKey, source: ConfigSource): boolean {
  return CONFIG[key].sources.includes(source);
}

/** Zod's messages name the rule and never the value, so that they are safe for secrets. */
function judge(merged: ReadonlyMap<ConfigKey, Found>): Config {
  const raw = Object.fromEntries([...merged].map(([key, { value }]) => [key, value]));
  const judged = configSchema.safeParse(raw);
  if (judged.success) return judged.data as Config;
  const complaints = judged.error.issues.map((issue) => {
    const key = issue.path[0] as ConfigKey;
    return `${key} (${merged.get(key)?.origin}): ${issue.message}.`;
  });
  throw invalid(complaints.join(" "));
}

function originsOf(merged: ReadonlyMap<ConfigKey, Found>): Record<ConfigKey, Origin> {
  return Object.fromEntries([...merged].map(([key, { origin }]) => [key, origin])) as Record<ConfigKey, Origin>;
}

function unknownVariables(env: ConfigInput["env"]): string[] {
  const known = [...CONFIG_KEYS.filter((key) => allows(key, "env")).map(envName), CONFIG_FILE_VARIABLE];
  const strangers = Object.keys(env).filter((name) => name.startsWith(ENV_PREFIX) && !known.includes(name));
  return strangers.map((name) => {
    const meant = suggest(name, known);
    return `The variable ${name} is not known and has no effect.${meant ? ` Did you mean ${meant}?` : ""}`;
  });
}

function invalid(detail: string, cause?: unknown): AppError {
  return new AppError("config_invalid", { cause, context: { detail } });
}
