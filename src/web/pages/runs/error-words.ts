// A code of the table of errors in the table's words, for pages that have only the code.

import { AppError, ERRORS, type ErrorCode } from "../../../core/errors.ts";
import { RUN_ERRORS, RUN_HINTS } from "../../strings/runs.ts";

/** Values that only the device knew are left out of the sentence. */
export function errorOf(code: string): { message: string; hint: string } {
  if (!Object.hasOwn(ERRORS, code)) return { message: code, hint: "" };
  const { message, hint } = new AppError(code as ErrorCode);
  const clean = (text: string): string => text.replace(/[:,]?\s*\{\w+\}/g, "…").replace(/…\.*/g, "…");
  return { message: RUN_ERRORS[code] ?? clean(message), hint: RUN_HINTS[code] ?? clean(hint) };
}
