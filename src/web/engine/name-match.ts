// What a person types to find files: a part of a name, or a glob as the command line takes it when there is a `*`, `?` or `[` in it.
// Case does not matter.

import { type RawPath, rawFromText, rawToText } from "../../core/raw-path.ts";
import { compileGlobs, type PathMatcher } from "../../engine/reader/glob.ts";

/** Throws `usage` for what is no pattern. */
export function nameMatcher(text: string): PathMatcher {
  const wanted = text.trim().toLowerCase();
  if (/[*?[\]{}]/.test(wanted)) {
    const matches = compileGlobs([wanted]);
    return (path, isDirectory) => matches(lowered(path), isDirectory);
  }
  if (wanted.includes("/")) return (path) => rawToText(path).toLowerCase().includes(wanted);
  return (path) =>
    rawToText(path.slice(path.lastIndexOf("/") + 1) as RawPath)
      .toLowerCase()
      .includes(wanted);
}

function lowered(path: RawPath): RawPath {
  return rawFromText(rawToText(path).toLowerCase());
}
