// The program's name and version, from the one place that states it: package.json.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { getAsset, isSea } from "node:sea";

export function readVersion(): string {
  return (JSON.parse(packageFile()) as { version: string }).version;
}

function packageFile(): string {
  if (isSea()) return getAsset("package.json", "utf8");
  return readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8");
}

/** What a snapshot says it was made by. */
export function programName(): string {
  return `cyberbackup ${readVersion()}`;
}
