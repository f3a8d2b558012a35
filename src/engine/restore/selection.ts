// Which entries of a snapshot a restore (or dump) takes: those below the given paths that fit an include pattern, if there are any,
// and no exclude pattern. A folder that fits brings everything below it.

import type { RawPath } from "../../core/raw-path.ts";
import { compileGlobs, type PathMatcher } from "../reader/glob.ts";
import { components, ROOT_PATH } from "../reader/tree-reader.ts";

/**
 * all: taken, with everything below it that is not excluded. search: a folder inside the given paths below which something may
 * fit. above: a folder that only leads to a given path. none: neither taken nor looked into.
 */
export type Standing = "all" | "search" | "above" | "none";

export type SelectionOptions = {
  /** Absolute paths; everything when empty. */
  readonly paths: readonly RawPath[];
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
};

export type Selection = {
  /** Of the folder from which a walk starts. */
  readonly root: (path: RawPath) => Standing;
  /** Of an entry in a folder of the given standing. */
  readonly decide: (path: RawPath, isDirectory: boolean, parent: Standing) => Standing;
};

/** Throws `usage` for a bad pattern or path. */
export function createSelection({ paths, include = [], exclude = [] }: SelectionOptions): Selection {
  const roots = new Set(paths.map(normalPath));
  const leading = new Set([...roots].flatMap(ancestorsOf));
  const everything = roots.size === 0 || roots.has(ROOT_PATH);
  const included = include.length > 0 ? compileGlobs(include) : undefined;
  const excluded = exclude.length > 0 ? compileGlobs(exclude) : () => false;

  const inside = (path: RawPath, isDirectory: boolean): Standing => fits(included, path, isDirectory);

  return {
    root(path) {
      if (everything || roots.has(path)) return inside(path, true);
      return leading.has(path) ? "above" : "none";
    },
    decide(path, isDirectory, parent) {
      if (parent === "none" || excluded(path, isDirectory)) return "none";
      if (parent === "all") return "all";
      if (parent === "search" || roots.has(path)) return inside(path, isDirectory);
      return isDirectory && leading.has(path) ? "above" : "none";
    },
  };
}

function fits(included: PathMatcher | undefined, path: RawPath, isDirectory: boolean): Standing {
  if (!included || (path !== ROOT_PATH && included(path, isDirectory))) return "all";
  return isDirectory ? "search" : "none";
}

/** `/a//b/` as `/a/b`. */
export function normalPath(path: RawPath): RawPath {
  return `/${components(path).join("/")}` as RawPath;
}

function ancestorsOf(path: RawPath): RawPath[] {
  const names = components(path);
  return names.map((_, i) => `/${names.slice(0, i).join("/")}` as RawPath);
}
