// One entry of a snapshot as a line for people, as `ls -l` would show it.

import type { FoundEntry } from "../engine/reader/tree-reader.ts";
import { ENTRY, type EntryType, UNKNOWN_OWNER } from "../wire/v4/tree-types.ts";
import { formatBytes } from "./format-bytes.ts";
import { formatTime } from "./format-time.ts";
import { shownPath, shownText } from "./shown-path.ts";

const LETTERS: Readonly<Record<EntryType, string>> = { 1: "-", 2: "d", 3: "l", 4: "p", 5: "c", 6: "b", 7: "s" };

export function entryLine(found: FoundEntry, isLong: boolean): string {
  const { path, entry, owners } = found;
  const shown = shownPath(path) + (entry.type === ENTRY.directory && path !== "/" ? "/" : "");
  if (!isLong) return shown;
  const owner = `${owners.users.get(entry.uid) ?? shownId(entry.uid)}:${owners.groups.get(entry.gid) ?? shownId(entry.gid)}`;
  return [
    LETTERS[entry.type] + modeLetters(entry.mode),
    shownText(owner).padEnd(16),
    (entry.type === ENTRY.file ? formatBytes(entry.size ?? 0) : "").padStart(9),
    formatTime(entry.mtimeSeconds * 1000),
    shown + (entry.linkTarget === undefined ? "" : ` -> ${shownPath(entry.linkTarget)}`),
  ].join("  ");
}

function shownId(id: number): string {
  return id === UNKNOWN_OWNER ? "?" : String(id);
}

/** `rwxr-xr-x`, with set-id and sticky bits as ls(1) writes them. */
export function modeLetters(mode: number): string {
  const special = [
    { bit: 0o4000, set: "s", bare: "S" },
    { bit: 0o2000, set: "s", bare: "S" },
    { bit: 0o1000, set: "t", bare: "T" },
  ];
  return special
    .map(({ bit, set, bare }, i) => {
      const three = (mode >> (6 - 3 * i)) & 7;
      const canRun = (three & 1) !== 0;
      const last = (mode & bit) !== 0 ? (canRun ? set : bare) : canRun ? "x" : "-";
      return (three & 4 ? "r" : "-") + (three & 2 ? "w" : "-") + last;
    })
    .join("");
}
