// Globs over absolute paths of a snapshot, as find, restore and dump take them:
//   *.txt            by name, in any folder
//   src/*.c          by the end of the path
//   /home/ann/**     by the whole path
// A pattern that ends with "/" fits folders only. Names that start with a dot are like any other.

import picomatch from "picomatch";
import { AppError } from "../../core/errors.ts";
import { type RawPath, rawToText } from "../../core/raw-path.ts";

export type PathMatcher = (path: RawPath, isDirectory: boolean) => boolean;

const PATTERN_MAX = 4096;

/** True when any of the patterns fits. Throws `usage` for one that is no glob. */
export function compileGlobs(patterns: readonly string[]): PathMatcher {
  const matchers = patterns.map(compileGlob);
  return (path, isDirectory) => matchers.some((matches) => matches(path, isDirectory));
}

function compileGlob(pattern: string): PathMatcher {
  const foldersOnly = pattern.length > 1 && pattern.endsWith("/");
  const glob = foldersOnly ? pattern.slice(0, -1) : pattern;
  if (glob === "" || pattern.length > PATTERN_MAX) {
    throw new AppError("usage", { context: { detail: `"${pattern.slice(0, 100)}" is not a pattern.` } });
  }
  const byName = !glob.includes("/");
  const matches = picomatch(byName || glob.startsWith("/") ? glob : `/**/${glob}`, { dot: true, nonegate: true });
  return (path, isDirectory) => {
    if (foldersOnly && !isDirectory) return false;
    const text = rawToText(path);
    return matches(byName ? text.slice(text.lastIndexOf("/") + 1) : text);
  };
}
