// Why something could not be read, in words: from a system error's code or one of ours.

import { getSystemErrorMap } from "node:util";
import { ERRORS } from "../core/errors.ts";

export function problemWords(code: string): string {
  if (Object.hasOwn(ERRORS, code)) return code.replaceAll("_", " ");
  for (const [name, message] of getSystemErrorMap().values()) if (name === code) return message;
  return code;
}
