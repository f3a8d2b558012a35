// Columns that text takes on a terminal, near enough for tables: marks take none, East Asian wide characters and emoji two.
// Source: Unicode UAX #11; only the ranges that fonts agree on.

const PLAIN = /^[\x20-\x7e]*$/;
const ESCAPES = /\x1b\[[0-9;]*m/g;
const NONE = /^[\p{Mark}\u200d]/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u;

export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text.replace(ESCAPES, "")) width += characterWidth(character);
  return width;
}

/** `text`, or its beginning and end with "…" between where it is wider than `width`. */
export function shortenMiddle(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 3) return "…".slice(0, Math.max(width, 0));
  const characters = [...text];
  const head = takeWidth(characters, Math.floor((width - 1) / 3));
  const tail = takeWidth(characters.reverse(), width - 1 - textWidth(head));
  return `${head}…${[...tail].reverse().join("")}`;
}

function takeWidth(characters: readonly string[], width: number): string {
  let taken = "";
  let used = 0;
  for (const character of characters) {
    used += characterWidth(character);
    if (used > width) break;
    taken += character;
  }
  return taken;
}

function characterWidth(character: string): number {
  if (NONE.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
