// Names on the way to a disk that cannot keep every name of a POSIX system: one that takes upper and lower case for equal, or Windows,
// where some characters and words are not possible. Nothing is lost there: of entries that would meet under one name, the first gets
// it and the others get one beside it, the same ones each time.

import { randomBytes } from "node:crypto";
import { closeSync, openSync, unlinkSync } from "node:fs";
import { windowsName } from "../../core/filename.ts";
import { type RawPath, rawFromText, rawJoin, rawToText } from "../../core/raw-path.ts";
import { lstatOrUndefined, nodePath } from "../posix.ts";

export type NameRules = { readonly ignoresCase: boolean; readonly isWindows: boolean };

/** Of one folder: what its disk takes for equal → the entry that has it. */
export type TakenNames = Map<string, RawPath>;

export type DiskName = {
  readonly disk: RawPath;
  /** Why it is not the entry's own. */
  readonly reason: string | undefined;
};

export class DiskNames {
  readonly #rules: NameRules;

  constructor(rules: NameRules) {
    this.#rules = rules;
  }

  /** True where every name goes to the disk as it is. */
  get areAsTheyAre(): boolean {
    return !this.#rules.ignoresCase && !this.#rules.isWindows;
  }

  /** Equal for names that the disk takes for one. */
  fold(name: RawPath): string {
    if (this.areAsTheyAre) return name;
    const text = rawToText(name).normalize("NFC");
    return this.#rules.ignoresCase ? text.toUpperCase().toLowerCase() : text;
  }

  /** The name for an entry of a folder. */
  take(taken: TakenNames, name: RawPath): DiskName {
    const possible = this.#rules.isWindows ? rawFromText(windowsName(name)) : name;
    const other = this.#otherThan(name, taken, possible);
    let disk = possible;
    for (let number = 2; this.#otherThan(name, taken, disk) !== undefined; number++) disk = numbered(possible, number);
    taken.set(this.fold(disk), name);
    if (disk === name) return { disk, reason: undefined };
    const why = other === undefined ? "which is not possible here" : `which is the same here as ${shown(other)}`;
    return { disk, reason: `in the snapshot it is ${shown(name)}, ${why}` };
  }

  /** The other entry that has this name already. */
  #otherThan(name: RawPath, taken: TakenNames, disk: RawPath): RawPath | undefined {
    const holder = taken.get(this.fold(disk));
    return holder === name ? undefined : holder;
  }
}

/** Looks how the disk of an existing folder behaves; where nothing may be written, it goes by the system. */
export function rulesOf(folder: RawPath, platform: string, dryRun: boolean): NameRules {
  const isWindows = platform === "win32";
  const usual = { ignoresCase: isWindows || platform === "darwin", isWindows };
  if (dryRun) return usual;
  const name = `.cyberbackup-${randomBytes(8).toString("hex")}-case`;
  const path = nodePath(rawJoin(folder, name as RawPath));
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // What is to be restored may still go into folders below it; if not, that is said file by file.
    return usual;
  }
  try {
    return { ignoresCase: lstatOrUndefined(rawJoin(folder, name.toUpperCase() as RawPath)) !== undefined, isWindows };
  } finally {
    unlinkSync(path);
  }
}

/** `notes.txt` → `notes (2).txt`. */
function numbered(name: RawPath, number: number): RawPath {
  const dot = name.lastIndexOf(".");
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  return `${stem} (${number})${extension}` as RawPath;
}

function shown(name: RawPath): string {
  return JSON.stringify(rawToText(name).slice(0, 80));
}
