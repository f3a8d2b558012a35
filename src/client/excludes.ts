// Which entries a scan leaves out: patterns of the command line, `.cyberbackupignore` files, tagged cache folders, sizes.
// What users may rely on is in docs/excludes.md. Paths given to a backup are never left out themselves, so nobody asks for them.
// A million entries pass here: where no rule can apply, `enterDirectory` answers undefined and `excludes` looks at nothing.
// Whatever cannot be read or makes no sense excludes nothing: a backup may hold too much, never too little.

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { equalBytes, utf8 } from "../core/bytes.ts";
import { type RawPath, rawFromBytes, rawFromText } from "../core/raw-path.ts";
import { type GitignoreRule, parseGitignore, parseRule } from "./gitignore.ts";
import { nodePath } from "./posix.ts";

/** At most `maxBytes` from the start of a regular file; undefined when it is none or cannot be read. */
export type HeadReader = (path: RawPath, maxBytes: number) => Uint8Array | undefined;

export type ExcludeOptions = {
  /** The backed-up paths, absolute: relative patterns with a slash start at each of them. */
  readonly roots: readonly RawPath[];
  /** --exclude, in order. */
  readonly patterns?: readonly string[];
  /** --iexclude: the same without regard to case. */
  readonly caselessPatterns?: readonly string[];
  /** Contents of --exclude-file files. */
  readonly patternFiles?: readonly Uint8Array[];
  readonly excludeCaches?: boolean;
  /** Files of more bytes than this. */
  readonly excludeLargerThan?: number | undefined;
  /** Honour `.cyberbackupignore` files; default true. */
  readonly ignoreFiles?: boolean;
  readonly readHead?: HeadReader;
};

/** What applies in one directory. Only this file looks inside. */
export type DirectoryRules = {
  /** Asked in this order until one has an answer: the command line, then ignore files from the innermost outwards. */
  readonly layers: readonly Layer[];
  /** Everything but the tag is left out. */
  readonly isCache: boolean;
};

type Layer = {
  readonly rules: readonly GitignoreRule[];
  /** Where in an absolute path the part begins that `path` and `rooted` rules are matched against; several for nested roots. */
  readonly offsets: Readonly<Record<"path" | "rooted", readonly number[]>>;
};

export type Excluder = {
  /**
   * The rules of a directory, from the names of its entries and the rules of the directory above it (undefined at a backed-up
   * path). Undefined: nothing but the size limit applies here.
   */
  enterDirectory(path: RawPath, names: readonly string[], parent?: DirectoryRules): DirectoryRules | undefined;
  /** Whether to leave out an entry of the directory whose rules are given. `path` is absolute. */
  excludes(
    rules: DirectoryRules | undefined,
    name: string,
    path: RawPath,
    isDirectory: boolean,
    sizeBytes: number,
  ): boolean;
};

export const IGNORE_FILE = ".cyberbackupignore";
export const CACHE_TAG = "CACHEDIR.TAG";
/** https://bford.info/cachedir/: what a tag begins with, 43 bytes. */
const CACHE_SIGNATURE = utf8("Signature: 8a477f597d28d172789f06886806bc55");
const IGNORE_FILE_MAX_BYTES = 1 << 20;

export function createExcluder(options: ExcludeOptions): Excluder {
  const { excludeLargerThan = Number.POSITIVE_INFINITY, excludeCaches = false, ignoreFiles = true } = options;
  const readHead = options.readHead ?? readRegularFile;
  const given = givenRules(options);
  const roots = new Set(options.roots.map(withSlash));

  return {
    enterDirectory(path, names, parent) {
      const folder = withSlash(path);
      const own = ignoreFiles && names.includes(IGNORE_FILE) ? readRules(folder, readHead) : [];
      const isCache = excludeCaches && names.includes(CACHE_TAG) && isTagged(folder, readHead);
      const isRoot = given.length > 0 && (parent === undefined || roots.has(folder));
      if (own.length === 0 && !isCache && !isRoot) return parent;

      const above = parent?.layers ?? [];
      const layers = given.length > 0 ? above.slice(1) : [...above];
      if (own.length > 0) layers.unshift({ rules: own, offsets: { path: [folder.length], rooted: [folder.length] } });
      if (given.length > 0) layers.unshift(givenLayer(given, roots, folder));
      return layers.length > 0 || isCache ? { layers, isCache } : undefined;
    },

    excludes(rules, name, path, isDirectory, sizeBytes) {
      if (sizeBytes > excludeLargerThan && !isDirectory) return true;
      if (rules === undefined) return false;
      if (rules.isCache && name !== CACHE_TAG) return true;
      for (const layer of rules.layers) {
        const verdict = verdictOf(layer, name, path, isDirectory);
        if (verdict !== undefined) return verdict;
      }
      return false;
    },
  };
}

/** The last rule that matches decides; undefined when none does. */
function verdictOf(layer: Layer, name: string, path: RawPath, isDirectory: boolean): boolean | undefined {
  for (let i = layer.rules.length - 1; i >= 0; i--) {
    const rule = layer.rules[i]!;
    if (rule.directoriesOnly && !isDirectory) continue;
    const isMatch =
      rule.scope === "name"
        ? rule.matches(name)
        : layer.offsets[rule.scope].some((offset) => rule.matches(path.slice(offset)));
    if (isMatch) return !rule.negated;
  }
  return undefined;
}

/** Rules of the command line, the weakest first: pattern files, --exclude, --iexclude. */
function givenRules({ patterns = [], caselessPatterns = [], patternFiles = [] }: ExcludeOptions): GitignoreRule[] {
  return [
    ...patternFiles.flatMap((content) => parseGitignore(rawFromBytes(content))),
    ...patterns.map((pattern) => parseRule(rawFromText(pattern))),
    ...caselessPatterns.map((pattern) => parseRule(rawFromText(pattern), { ignoreCase: true })),
  ].filter((rule) => rule !== undefined);
}

/** A leading slash means the root of the file system; other patterns with a slash start at each backed-up path. */
function givenLayer(rules: readonly GitignoreRule[], roots: ReadonlySet<string>, folder: string): Layer {
  const path = [...roots].filter((root) => folder.startsWith(root)).map((root) => root.length);
  return { rules, offsets: { path, rooted: [1] } };
}

function readRules(folder: string, readHead: HeadReader): GitignoreRule[] {
  const content = readHead(`${folder}${IGNORE_FILE}` as RawPath, IGNORE_FILE_MAX_BYTES + 1);
  return content === undefined || content.length > IGNORE_FILE_MAX_BYTES ? [] : parseGitignore(rawFromBytes(content));
}

function isTagged(folder: string, readHead: HeadReader): boolean {
  const head = readHead(`${folder}${CACHE_TAG}` as RawPath, CACHE_SIGNATURE.length);
  return head !== undefined && equalBytes(head.subarray(0, CACHE_SIGNATURE.length), CACHE_SIGNATURE);
}

function withSlash(path: RawPath): string {
  return path.endsWith("/") ? path : `${path}/`;
}

/** Follows no symbolic link and never waits for the other end of a FIFO. */
function readRegularFile(path: RawPath, maxBytes: number): Uint8Array | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(nodePath(path), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(fd);
    if (!stat.isFile()) return undefined;
    const bytes = new Uint8Array(Math.min(stat.size, maxBytes));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
