// The only validator and sanitiser of names and paths.
// The strict rules (`checkName`) are for names that CyberBackup itself creates or takes from strangers: they must work on
// every system and look like what they are. They must never be applied to what a POSIX backup restores: there any byte but
// "/" and NUL is legitimate and comes back exactly (`isPlainComponent`).
// Sources: Microsoft "Naming Files, Paths, and Namespaces"; Unicode UAX #9 (bidi controls), UAX #15 (NFC), UTS #39
// (confusables); POSIX NAME_MAX and PATH_MAX as Linux sets them.

import { tryUtf8Decode, utf8 } from "./bytes.ts";
import { crc32c } from "./checksum.ts";
import { AppError } from "./errors.ts";
import { type RawPath, rawToBytes } from "./raw-path.ts";

export const NAME_MAX_BYTES = 255;
export const PATH_MAX_BYTES = 4096;

export type NameProblemKind =
  | "empty"
  | "too_long"
  | "traversal"
  | "absolute"
  | "separator"
  | "lookalike_separator"
  | "control"
  | "bidi_control"
  | "invisible"
  | "forbidden"
  | "surrogate"
  | "reserved"
  | "edge"
  | "not_nfc";

/** `detail` is a sentence for a person, safe to print. */
export type NameProblem = { readonly kind: NameProblemKind; readonly detail: string };

type CharacterRule = { readonly kind: NameProblemKind; readonly set: RegExp; readonly what: string };

/** Every character that a strict name may not hold. The sets are spelled out so that they do not move with ICU versions. */
const CHARACTER_RULES: readonly CharacterRule[] = [
  { kind: "separator", set: /[/\\]/u, what: "a path separator" },
  { kind: "control", set: /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u, what: "a control character" },
  { kind: "forbidden", set: /[<>:"|?*]/u, what: "a character that Windows forbids" },
  // UTS #39 confusables of "/" and "\" that are symbols; letters of living scripts that resemble them are left alone.
  {
    kind: "lookalike_separator",
    set: /[\u2044\u2215\u2216\u2571\u2572\u27cb\u27cd\u29f5-\u29f9\u2afb\u2afd\ufe68\uff0f\uff3c]/u,
    what: "a character that looks like a path separator",
  },
  { kind: "bidi_control", set: /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u, what: "a text direction control" },
  {
    kind: "invisible",
    set: /[\u034f\u00ad\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]/u,
    what: "an invisible character",
  },
  { kind: "surrogate", set: /\p{Surrogate}/u, what: "half of a surrogate pair" },
];

/** Those that hold for any text that people are shown. */
const LABEL_RULES: ReadonlySet<NameProblemKind> = new Set(["control", "bidi_control", "invisible", "surrogate"]);

/** Microsoft's reserved names, with or without extension. Superscript digits count; NFKC has made them plain digits. */
const RESERVED = /^(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|CLOCK\$|(?:COM|LPT)[0-9])\s*(?:\.|$)/i;

/** Longest extension (with its dot) that shortening keeps. */
const KEPT_EXTENSION_BYTES = 16;

/** What keeps `name` from being one file name on every system; undefined when nothing does. */
export function checkName(name: string): NameProblem | undefined {
  if (name === "") return { kind: "empty", detail: "It is empty." };
  if (exceeds(name, NAME_MAX_BYTES)) {
    return { kind: "too_long", detail: `It is longer than ${NAME_MAX_BYTES} bytes of UTF-8.` };
  }
  const folded = name.normalize("NFKC");
  if (folded === "." || folded === "..")
    return { kind: "traversal", detail: "It stands for a folder, not for a name." };
  for (const { kind, set, what } of CHARACTER_RULES) {
    const found = set.exec(name);
    if (found) return { kind, detail: `It contains ${what} (${codePointName(found[0])}).` };
  }
  if (RESERVED.test(folded)) return { kind: "reserved", detail: "It is reserved on Windows." };
  if (/^\s/u.test(name)) return { kind: "edge", detail: "It starts with a space." };
  if (/[\s.]$/u.test(name)) return { kind: "edge", detail: "It ends with a space or a dot." };
  if (name.normalize("NFC") !== name) return { kind: "not_nfc", detail: "It is not in Unicode normal form C." };
  return undefined;
}

/** What keeps `text` from being a name in one line for people, such as a user's; undefined when nothing does. Not for files. */
export function checkLabel(text: string, maxBytes: number): NameProblem | undefined {
  if (text === "") return { kind: "empty", detail: "It is empty." };
  if (exceeds(text, maxBytes)) return { kind: "too_long", detail: `It is longer than ${maxBytes} bytes of UTF-8.` };
  for (const { kind, set, what } of CHARACTER_RULES) {
    const found = LABEL_RULES.has(kind) && set.exec(text);
    if (found) return { kind, detail: `It contains ${what} (${codePointName(found[0])}).` };
  }
  return undefined;
}

export function requireSafeName(name: string): string {
  return refuse(name, checkName(name));
}

/** As `checkName` for a relative path whose components are separated by "/". */
export function checkRelativePath(path: string): NameProblem | undefined {
  if (path === "") return { kind: "empty", detail: "It is empty." };
  if (exceeds(path, PATH_MAX_BYTES)) {
    return { kind: "too_long", detail: `It is longer than ${PATH_MAX_BYTES} bytes of UTF-8.` };
  }
  if (path.startsWith("/")) return { kind: "absolute", detail: "It starts at the root, not here." };
  for (const component of path.split("/")) {
    const problem = checkName(component);
    if (problem) return { kind: problem.kind, detail: `Component ${printableName(component)}: ${problem.detail}` };
  }
  return undefined;
}

export function requireSafeRelativePath(path: string): string {
  return refuse(path, checkRelativePath(path));
}

/**
 * A name that passes `checkName`: the same one if it does already, else one with the offending characters written as
 * %XX of their UTF-8 bytes. One that is too long is cut and marked with a checksum of the whole. Not meant to be undone;
 * two names can meet only if one of them holds such escapes itself, so a caller that must not overwrite still looks.
 */
export function sanitiseName(name: string): string {
  if (checkName(name) === undefined) return name;
  let safe = escapeCharacters(name.normalize("NFC")).normalize("NFC");
  if (safe === "") return "unnamed";
  const folded = safe.normalize("NFKC");
  if (RESERVED.test(folded) || folded === "." || folded === ".." || /^\s/u.test(safe)) {
    const [first] = safe;
    safe = percent(first!) + safe.slice(first!.length);
  }
  if (/[\s.]$/u.test(safe)) safe = safe.slice(0, -1) + percent(safe.slice(-1));
  return exceeds(safe, NAME_MAX_BYTES) ? shorten(safe) : safe;
}

/** What Windows cannot have in a name at all; all else that a POSIX name may hold comes back as it was. */
const IMPOSSIBLE_ON_WINDOWS = /[<>:"|?*\\\u0000-\u001f]|\p{Surrogate}/gu;

/**
 * The name under which Windows can keep a file of a POSIX system: the same one mostly, else one in which what is impossible there is
 * written as %XX of its bytes. `raw` may hold bytes that are no UTF-8. Two names can meet: the caller keeps them apart.
 */
export function windowsName(raw: RawPath): string {
  let name = decodeOrEscape(raw).replace(IMPOSSIBLE_ON_WINDOWS, percent);
  if (RESERVED.test(name.normalize("NFKC"))) name = percent(name.charAt(0)) + name.slice(1);
  return name.replace(/[. ]$/, percent);
}

function decodeOrEscape(raw: RawPath): string {
  const bytes = rawToBytes(raw);
  const text = tryUtf8Decode(bytes);
  if (text !== undefined) return text;
  return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : `%${hexOf(byte, 2)}`)).join("");
}

/**
 * True when `component` names exactly one entry of a POSIX folder: the only check between a backup and the disk. It is
 * false for "", ".", "..", and for what contains "/" or NUL or takes over `maxBytes`. Text must pass `rawFromText` first:
 * the length is counted in bytes. Systems that count otherwise (Windows, macOS) allow longer names; a format that holds
 * theirs gives its own limit.
 */
export function isPlainComponent(component: Uint8Array | RawPath, maxBytes = NAME_MAX_BYTES): boolean {
  if (component.length === 0 || component.length > maxBytes) return false;
  if (typeof component === "string") return component !== "." && component !== ".." && !/[/\0]/.test(component);
  if (component.length <= 2 && component.every((byte) => byte === 0x2e)) return false;
  return !component.includes(0x2f) && !component.includes(0);
}

/** `name` in quotes, fit for a terminal or a log: unsafe characters as \u{…}, cut to 80 characters. */
export function printableName(name: string): string {
  const characters = [...name.slice(0, 200)].map((character) =>
    isPrintable(character) ? character : escapeUnicode(character),
  );
  const long = characters.length > 80 || name.length > 200;
  return `"${characters.slice(0, 80).join("")}${long ? "…" : ""}"`;
}

function refuse(name: string, problem: NameProblem | undefined): string {
  if (!problem) return name;
  throw new AppError("filename_invalid", { context: { name: printableName(name), detail: problem.detail } });
}

function exceeds(text: string, limitBytes: number): boolean {
  return text.length > limitBytes || utf8(text).length > limitBytes;
}

function escapeCharacters(text: string): string {
  let out = "";
  for (const character of text) {
    out += CHARACTER_RULES.some(({ set }) => set.test(character)) ? percent(character) : character;
  }
  return out;
}

/** %XX of the UTF-8 bytes; half a surrogate pair has none and becomes %uXXXX. */
function percent(character: string): string {
  if (!character.isWellFormed()) return `%u${hexOf(character.charCodeAt(0), 4)}`;
  return [...utf8(character)].map((byte) => `%${hexOf(byte, 2)}`).join("");
}

function shorten(name: string): string {
  const dot = name.lastIndexOf(".");
  const tail = dot > 0 ? name.slice(dot) : "";
  const extension = exceeds(tail, KEPT_EXTENSION_BYTES) ? "" : tail;
  const mark = `~${hexOf(crc32c(utf8(name)), 8)}${extension}`;
  const room = NAME_MAX_BYTES - utf8(mark).length;
  let stem = "";
  let stemBytes = 0;
  for (const character of name) {
    stemBytes += utf8(character).length;
    if (stemBytes > room) break;
    stem += character;
  }
  return stem + mark;
}

function isPrintable(character: string): boolean {
  return !CHARACTER_RULES.some(({ kind, set }) => kind !== "forbidden" && kind !== "separator" && set.test(character));
}

function escapeUnicode(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

function codePointName(character: string): string {
  return `U+${hexOf(character.codePointAt(0)!, 4)}`;
}

function hexOf(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}
