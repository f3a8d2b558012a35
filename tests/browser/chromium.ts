// Starts a Chromium: the one that CHROMIUM_PATH names, or the one inside the npm package @sparticuz/chromium (Linux on
// x64). Nothing is installed on the system: the package is unpacked once under the temporary directory.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import packaged, { inflate } from "@sparticuz/chromium";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const LAUNCH_MS = 60_000;

/** Why there is no browser to test in, or false. */
export const noChromium: string | false =
  process.env.CHROMIUM_PATH === undefined && !(process.platform === "linux" && process.arch === "x64")
    ? "set CHROMIUM_PATH to a Chromium or Chrome"
    : false;

export async function launchChromium(): Promise<Browser> {
  return chromium.launch(await launchOptions());
}

/** With a profile in a folder: what a page keeps is on the disk, as with people, and not in memory, as in a private window. */
export async function launchWithProfile(folder: string, options: BrowserContextOptions): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, { ...options, ...(await launchOptions()) });
}

/** For whoever starts the program alone. */
export async function launchOptions() {
  const own = process.env.CHROMIUM_PATH;
  const { executablePath, env } = own === undefined ? await unpacked() : { executablePath: own, env: {} };
  return {
    executablePath,
    args: FLAGS,
    timeout: LAUNCH_MS,
    env: { ...(process.env as Record<string, string>), ...env },
  };
}

async function unpacked(): Promise<{ executablePath: string; env: Record<string, string> }> {
  const folder = join(tmpdir(), `cyberbackup-tests-chromium-${packagedVersion()}`);
  if (!existsSync(folder)) await unpackTo(folder);
  const executablePath = join(folder, "chromium");
  const env: Record<string, string> = { FONTCONFIG_PATH: await fontSettings(folder) };
  // Where the system lacks NSS, take the libraries that the package brings along.
  const runs = spawnSync(executablePath, ["--version"], { timeout: LAUNCH_MS }).status === 0;
  if (!runs) env.LD_LIBRARY_PATH = `${join(folder, "al2023", "lib")}:${process.env.LD_LIBRARY_PATH ?? ""}`;
  return { executablePath, env };
}

/** The package's own settings name folders of another kind of machine; without any font Chromium crashes at the first text field. */
async function fontSettings(folder: string): Promise<string> {
  const settings = join(folder, "font-settings");
  const places = [join(folder, "fonts", "fonts"), "/usr/share/fonts"].map((place) => `<dir>${place}</dir>`).join("");
  const cache = `<cachedir>${join(settings, "cache")}</cachedir>`;
  await mkdir(settings, { recursive: true });
  const text = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>${places}${cache}</fontconfig>`;
  await writeFile(join(settings, "fonts.conf"), text);
  return settings;
}

/** The package unpacks into the temporary directory, under names of no version; so it is given one of its own, then renamed. */
async function unpackTo(folder: string): Promise<void> {
  const before = process.env.TMPDIR;
  const draft = await mkdtemp(`${folder}-`);
  process.env.TMPDIR = draft;
  try {
    await packaged.executablePath();
    await inflate(join(packageFolder(), "bin", "al2023.tar.br"));
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  // Another run may have been faster.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true }));
}

function packageFolder(): string {
  return join(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium"))), "..");
}

function packagedVersion(): string {
  return (createRequire(import.meta.url)(join(packageFolder(), "package.json")) as { version: string }).version;
}
