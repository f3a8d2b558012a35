// Names and paths of backed-up files as a terminal may see them: whole, and escaped as core/filename does it.

import { printableName } from "../core/filename.ts";
import { type RawPath, rawToText } from "../core/raw-path.ts";

const PLAIN = /^[\x20-\x7e]*$/;
/** printableName cuts what is longer. */
const PIECE = 80;

export function shownPath(path: RawPath): string {
  return shownText(rawToText(path));
}

/** Without quotes and never cut. */
export function shownText(text: string): string {
  if (PLAIN.test(text)) return text;
  const characters = [...text];
  let shown = "";
  for (let at = 0; at < characters.length; at += PIECE) {
    shown += printableName(characters.slice(at, at + PIECE).join("")).slice(1, -1);
  }
  return shown;
}
