// How a run that failed ends: one error from whatever was thrown, in words or as JSON, and its exit code.

import { CommanderError } from "commander";
import { AppError, type ErrorCode } from "../core/errors.ts";
import type { Output } from "./output.ts";

/** Says what went wrong and answers the exit code. */
export function showFailure(output: Output, thrown: unknown, isInterrupted: boolean): number {
  const error = toAppError(thrown, isInterrupted);
  const { code, message, hint, exit } = error;
  output.json({ type: "error", code, message, hint, exit });
  if (!output.isJson) {
    const { red, dim } = output.errorPaint;
    output.failure(`${red("error:")} ${message}\n${dim("hint:")}  ${hint}`);
  }
  const { cause } = error;
  if (code === "internal" && !output.isJson && cause instanceof Error) output.failure(`${cause.stack}`);
  return exit;
}

/** The same for a parent process, which makes the error anew of it. */
export function failedMessage(thrown: unknown, isInterrupted: boolean) {
  const { code, context } = toAppError(thrown, isInterrupted);
  return { type: "failed", code, context } as const;
}

/** Everything that is thrown on purpose is an AppError already; the rest comes from the parser, the platform, or is a bug. */
export function toAppError(thrown: unknown, isInterrupted: boolean): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof CommanderError) return usageError(thrown);
  if (isInterrupted) return new AppError("interrupted", { cause: thrown });
  const { code, path, message } = thrown as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return made("disk_full", thrown, { path: path ?? "the disk" });
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) {
    return made("io", thrown, { path: path ?? "A file", detail: `${message}.` });
  }
  return made("internal", thrown, { detail: `${message ?? String(thrown)}.` });
}

/** Commander's message: "error: unknown option '--x'\n(Did you mean --y?)". */
function usageError(error: CommanderError): AppError {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1)}.`.replace(/\.\.$/, ".");
  const suggestion = rest.join(" ").replace(/^\((.*)\)$/, "$1");
  return new AppError("usage", {
    cause: error,
    context: { detail: suggestion ? `${sentence} ${suggestion}` : sentence },
  });
}

function made(code: ErrorCode, cause: unknown, context: Record<string, string>): AppError {
  return new AppError(code, { cause, context });
}
