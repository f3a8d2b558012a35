// One pattern of gitignore(5), matched as git's wildmatch.c does: byte by byte, on raw names. Interop test:
// tests/interop/gitignore.test.ts. Why not the package `ignore`: docs/excludes.md, [Note: why our own matcher].
// Matching takes at most pattern × name steps: ignore files come from strangers, and a regular expression could hang on one.

import { tryUtf8Decode } from "../core/bytes.ts";
import { type RawPath, rawFromText, rawToBytes } from "../core/raw-path.ts";

export type GitignoreRule = {
  /** Written with `!`: what it matches is kept. */
  readonly negated: boolean;
  readonly directoriesOnly: boolean;
  /** `name`: no slash in it, so it is matched against the name alone; `path` and `rooted` (with a leading slash): against the path. */
  readonly scope: "name" | "path" | "rooted";
  matches(nameOrPath: string): boolean;
};

export type RuleOptions = { readonly ignoreCase?: boolean };

/** The rules of an ignore file, in order. Comments, blank lines and patterns that can never match are left out. */
export function parseGitignore(text: RawPath): GitignoreRule[] {
  const BOM = "\xef\xbb\xbf";
  const lines = (text.startsWith(BOM) ? text.slice(BOM.length) : text).split("\n");
  return lines
    .map((line) => trimTrailingSpaces(line.endsWith("\r") ? line.slice(0, -1) : line))
    .filter((line) => !line.startsWith("#"))
    .map((line) => parseRule(line as RawPath))
    .filter((rule) => rule !== undefined);
}

/** Undefined for a pattern that can never match: an empty one, or one whose `[` or `\` is not finished. */
export function parseRule(pattern: RawPath, { ignoreCase = false }: RuleOptions = {}): GitignoreRule | undefined {
  let rest: string = ignoreCase ? foldCase(pattern) : pattern;
  const negated = rest.startsWith("!");
  if (negated) rest = rest.slice(1);
  const directoriesOnly = rest.endsWith("/");
  if (directoriesOnly) rest = rest.slice(0, -1);
  const scope = rest.startsWith("/") ? "rooted" : rest.includes("/") ? "path" : "name";
  if (scope === "rooted") rest = rest.slice(1);
  const cut = scope === "name" ? 0 : prefixLength(rest);
  const segments = rest === "" ? undefined : parseSegments(rest.slice(cut), ignoreCase);
  if (segments === undefined) return undefined;
  const matches = scope === "name" ? nameMatcher(segments[0]!) : behind(rest.slice(0, cut), pathMatcher(segments));
  return {
    negated,
    directoriesOnly,
    scope,
    matches: ignoreCase ? (text) => matches(foldCase(text as RawPath)) : matches,
  };
}

/**
 * git compares what comes before the first wildcard as plain bytes and forgets it (dir.c, match_pathname). Two stars that follow it within a
 * segment then stand at the start, where they count for any number of folders. Elsewhere the length makes no difference, and is 0 here.
 */
function prefixLength(pattern: string): number {
  return /^([^*?[\\]*[^*?[\\/])\*\*+(?:\/|$)/.exec(pattern)?.[1]?.length ?? 0;
}

function behind(prefix: string, matches: Matcher): Matcher {
  if (prefix === "") return matches;
  return (text) => text.startsWith(prefix) && matches(text.slice(prefix.length));
}

/** A byte, one of the two below, or a table of 256 flags. */
type Token = number | Uint8Array;
const STAR = -1;
const ANY_BYTE = -2;
type Segment = readonly Token[];

const SLASH = 0x2f;
const BACKSLASH = 0x5c;

/** Between slashes. A slash inside brackets is no separator, and `\/` is one. */
function parseSegments(pattern: string, ignoreCase: boolean): Segment[] | undefined {
  const segments: Token[][] = [[]];
  for (let at = 0; at < pattern.length; at++) {
    const segment = segments.at(-1)!;
    let code = pattern.charCodeAt(at);
    if (code === BACKSLASH && pattern.charCodeAt(at + 1) !== SLASH) {
      if (++at === pattern.length) return undefined;
      segment.push(pattern.charCodeAt(at));
      continue;
    }
    if (code === BACKSLASH) code = pattern.charCodeAt(++at);
    if (code === SLASH) segments.push([]);
    else if (pattern[at] === "*") segment.push(STAR);
    else if (pattern[at] === "?") segment.push(ANY_BYTE);
    else if (pattern[at] === "[") {
      const set = parseSet(pattern, at, ignoreCase);
      if (set === undefined) return undefined;
      segment.push(set.table);
      at = set.end;
    } else segment.push(code);
  }
  return segments;
}

/** The bracket expression at `start`; `end` is its closing bracket. Mirrors the loop of wildmatch.c, its quirks included. */
function parseSet(pattern: string, start: number, ignoreCase: boolean): { table: Uint8Array; end: number } | undefined {
  const table = new Uint8Array(256);
  let at = start + 1;
  const isNegated = pattern[at] === "!" || pattern[at] === "^";
  if (isNegated) at++;
  let before = 0;
  for (let isFirst = true; isFirst || pattern[at] !== "]"; isFirst = false, at++) {
    if (at >= pattern.length) return undefined;
    const isRange = pattern[at] === "-" && before > 0 && at + 1 < pattern.length && pattern[at + 1] !== "]";
    if (isRange) at++;
    if (pattern[at] === "\\" && ++at >= pattern.length) return undefined;
    else if (!isRange && pattern[at - 1] !== "\\" && pattern.startsWith("[:", at)) {
      const close = pattern.indexOf("]", at + 2);
      if (close < 0) return undefined;
      if (close > at + 2 && pattern[close - 1] === ":") {
        const members = CLASSES[pattern.slice(at + 2, close - 1)];
        if (members === undefined) return undefined;
        addClass(table, members, ignoreCase);
        at = close;
        before = 0;
        continue;
      }
    }
    const code = pattern.charCodeAt(at);
    for (let member = isRange ? before : code; member <= code; member++) table[member] = 1;
    before = isRange ? 0 : code;
  }
  if (isNegated) for (let code = 0; code < 256; code++) table[code] = 1 - table[code]!;
  return { table, end: at };
}

/** POSIX character classes of ASCII, as regular expressions over one character. */
const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t-\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** Names are folded to lower case before they are compared, so that upper-case letters stand for lower-case ones. */
function addClass(table: Uint8Array, members: RegExp, ignoreCase: boolean): void {
  for (let code = 0; code < 128; code++) {
    const character = String.fromCharCode(code);
    if (members.test(character) || (ignoreCase && members.test(character.toUpperCase()))) table[code] = 1;
  }
}

type Matcher = (text: string) => boolean;

function nameMatcher(segment: Segment): Matcher {
  const [first, last] = [segment[0], segment.at(-1)];
  const literal = (part: Segment) => (part.every((token) => isByte(token)) ? bytesToText(part) : undefined);
  const whole = literal(segment);
  if (whole !== undefined) return (text) => text === whole;
  const suffix = first === STAR ? literal(segment.slice(1)) : undefined;
  if (suffix !== undefined) return (text) => text.endsWith(suffix);
  const prefix = last === STAR ? literal(segment.slice(0, -1)) : undefined;
  if (prefix !== undefined) return (text) => text.startsWith(prefix);
  return (text) => matchSegment(segment, text);
}

/** `**` between slashes: any number of folders; undefined below. */
type PathPart = Matcher | undefined;

function pathMatcher(segments: readonly Segment[]): Matcher {
  if (segments.every((segment) => segment.every(isByte))) {
    const whole = segments.map(bytesToText).join("/");
    return (text) => text === whole;
  }
  const parts = segments.flatMap((segment, index): PathPart[] => {
    if (segment.length < 2 || !segment.every((token) => token === STAR)) return [nameMatcher(segment)];
    // A trailing `**` is everything below, but not the folder itself.
    return index === segments.length - 1 ? [() => true, undefined] : [undefined];
  });
  // Nearly every path fails at its name, which is found without taking the path apart.
  const last = parts.at(-1) ?? (() => true);
  return (path) => last(path.slice(path.lastIndexOf("/") + 1)) && matchParts(parts, path.split("/"));
}

function matchParts(parts: readonly PathPart[], names: readonly string[]): boolean {
  let [at, part, retryAt, retryPart] = [0, 0, 0, -1];
  while (at < names.length) {
    if (part < parts.length && parts[part] === undefined) {
      retryPart = part++;
      retryAt = at;
    } else if (parts[part]?.(names[at]!)) {
      at++;
      part++;
    } else if (retryPart >= 0) {
      part = retryPart + 1;
      at = ++retryAt;
    } else return false;
  }
  while (part < parts.length && parts[part] === undefined) part++;
  return part === parts.length;
}

/** Only the last star is ever tried again: what an earlier one could take, the last one can take as well. */
function matchSegment(segment: Segment, text: string): boolean {
  let [at, token, retryAt, retryToken] = [0, 0, 0, -1];
  while (at < text.length) {
    if (segment[token] === STAR) {
      retryToken = token++;
      retryAt = at;
    } else if (fits(segment[token], text.charCodeAt(at))) {
      at++;
      token++;
    } else if (retryToken >= 0) {
      token = retryToken + 1;
      at = ++retryAt;
    } else return false;
  }
  while (segment[token] === STAR) token++;
  return token === segment.length;
}

function fits(token: Token | undefined, code: number): boolean {
  if (typeof token === "number") return token === code || token === ANY_BYTE;
  return token !== undefined && token[code] === 1;
}

function isByte(token: Token): token is number {
  return typeof token === "number" && token >= 0;
}

function bytesToText(segment: Segment): string {
  return String.fromCharCode(...(segment as readonly number[]));
}

/** Lower case; names that are not UTF-8 are folded as far as they are ASCII. */
function foldCase(raw: RawPath): string {
  if (/^[\x00-\x7f]*$/.test(raw)) return raw.toLowerCase();
  const text = tryUtf8Decode(rawToBytes(raw));
  if (text !== undefined) return rawFromText(text.toLowerCase());
  return raw.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** As git's trim_trailing_spaces: a backslash saves the space that it stands before. */
function trimTrailingSpaces(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at++) {
    if (line[at] === "\\") end = Math.min(line.length, ++at + 1);
    else if (line[at] !== " ") end = at + 1;
  }
  return line.slice(0, end);
}
