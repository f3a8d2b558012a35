// Finds what a TypeScript file imports, without a compiler: static, type-only, dynamic and re-exporting imports, `require`,
// and `new URL("./x.ts", import.meta.url)`, which is how workers are started.
// A small tokenizer skips comments and keeps strings apart, so that a path in a comment or a message counts for nothing.

export type Import = {
  /** What is imported, or undefined when the path is computed at run time. */
  readonly specifier: string | undefined;
  readonly line: number;
};

export function findImports(source: string): Import[] {
  const tokens = tokenize(source);
  const found: Import[] = [];
  tokens.forEach((token, i) => {
    const at = (offset: number) => tokens[i + offset];
    const isMember = at(-1)?.text === ".";
    if (token.kind !== "word" || (isMember && token.text !== "resolve")) return;
    if (token.text === "from" || token.text === "import") {
      const next = at(1);
      if (next?.kind === "string") found.push({ specifier: next.text, line: token.line });
      else if (token.text === "import" && next?.text === "(") found.push(called(at(2), at(3), token.line));
    } else if (token.text === "require" && at(1)?.text === "(") {
      found.push(called(at(2), at(3), token.line));
    } else if (
      token.text === "URL" &&
      at(1)?.text === "(" &&
      at(3)?.text === "," &&
      spells(tokens, i + 4, IMPORT_META_URL)
    ) {
      found.push(called(at(2), at(3), token.line));
    } else if (token.text === "resolve" && spells(tokens, i - 4, ["import", ".", "meta", "."])) {
      found.push(called(at(2), at(3), token.line));
    }
  });
  return found;
}

const IMPORT_META_URL = ["import", ".", "meta", ".", "url"];

function spells(tokens: readonly Token[], start: number, words: readonly string[]): boolean {
  return words.every((word, i) => tokens[start + i]?.text === word);
}

function called(argument: Token | undefined, after: Token | undefined, line: number): Import {
  const isWhole = after?.text === ")" || after?.text === ",";
  return { specifier: argument?.kind === "string" && isWhole ? argument.text : undefined, line };
}

export type Token = { readonly kind: "word" | "string" | "mark"; readonly text: string; readonly line: number };

const SPACE_OR_COMMENT = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const WORD = /[\p{ID_Start}$_#\d][\p{ID_Continue}$\u200c\u200d]*/uy;
const STRING = /"((?:[^"\\\n]|\\[\s\S])*)"|'((?:[^'\\\n]|\\[\s\S])*)'/y;
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TEMPLATE_PART = /((?:[^`\\$]|\\[\s\S]|\$(?!\{))*)(`|\$\{)/y;

/** After one of these words a slash begins a regular expression; after any other it divides. */
const BEFORE_REGEX = new Set([
  "return",
  "typeof",
  "case",
  "in",
  "of",
  "delete",
  "void",
  "throw",
  "new",
  "await",
  "yield",
  "else",
]);

export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  /** For each open template: how many braces are open inside its current `${…}`. */
  const templates: number[] = [];
  let position = 0;
  let line = 1;

  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = position;
    const match = pattern.exec(source);
    if (match === null) return undefined;
    position = pattern.lastIndex;
    line += match[0].split("\n").length - 1;
    return match;
  };
  const push = (kind: Token["kind"], text: string) => tokens.push({ kind, text, line });
  const template = () => {
    const part = take(TEMPLATE_PART);
    if (part === undefined) throw new Error(`line ${line}: a template string has no end`);
    return { text: part[1] ?? "", isEnd: part[2] === "`" };
  };

  while (position < source.length) {
    if (take(SPACE_OR_COMMENT) !== undefined) continue;
    const word = take(WORD);
    if (word !== undefined) {
      push("word", word[0]);
      continue;
    }
    const string = take(STRING);
    if (string !== undefined) {
      push("string", string[1] ?? string[2] ?? "");
      continue;
    }
    const mark = source[position] ?? "";
    if (mark === "/" && beginsRegex(tokens.at(-1)) && take(REGEX) !== undefined) {
      push("mark", "regex");
      continue;
    }
    position++;
    const open = templates.length - 1;
    if (mark === "`") {
      const { text, isEnd } = template();
      push(isEnd ? "string" : "mark", isEnd ? text : "`");
      if (!isEnd) templates.push(0);
      continue;
    }
    if (mark === "{" && open >= 0) templates[open]!++;
    if (mark === "}" && open >= 0 && templates[open]!-- === 0) {
      if (template().isEnd) templates.pop();
      else templates[open] = 0;
      push("mark", "`");
      continue;
    }
    push("mark", mark);
  }
  if (templates.length > 0) throw new Error(`line ${line}: a template string has no end`);
  return tokens;
}

function beginsRegex(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  if (previous.kind === "word") return BEFORE_REGEX.has(previous.text);
  return previous.kind === "mark" && ![")", "]", "}", "`", "regex"].includes(previous.text);
}
