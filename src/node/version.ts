// The program's name and version, from the one place that states it: package.json.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const PACKAGE = join(import.meta.dirname, "..", "..", "package.json");

export function readVersion(): string {
  return (JSON.parse(readFileSync(PACKAGE, "utf8")) as { version: string }).version;
}

/** What a snapshot says it was made by. */
export function programName(): string {
  return `cyberbackup ${readVersion()}`;
}
