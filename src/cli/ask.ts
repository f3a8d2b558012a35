// Questions to a person at a terminal. What is typed as a secret is never shown, logged or put into an error.

import { AppError } from "../core/errors.ts";
import { isTerminal } from "../node/terminal.ts";
import type { Context } from "./context.ts";

export function canAsk({ host, output }: Context): boolean {
  return isTerminal(host.stdin) && isTerminal(host.stderr) && !output.isJson;
}

export async function askSecret({ host, output }: Context, message: string): Promise<string> {
  output.flush();
  const { password } = await import("@clack/prompts");
  return given(await password({ message, input: host.stdin, output: host.stderr, validate: something }));
}

export async function askText({ host, output }: Context, message: string): Promise<string> {
  output.flush();
  const { text } = await import("@clack/prompts");
  return given(await text({ message, input: host.stdin, output: host.stderr, validate: something }));
}

export async function askYes({ host, output }: Context, message: string): Promise<boolean> {
  output.flush();
  const { confirm } = await import("@clack/prompts");
  return given(await confirm({ message, initialValue: false, input: host.stdin, output: host.stderr }));
}

function something(value: string | undefined): string | undefined {
  return value ? undefined : "Type it, or press Ctrl-C to stop.";
}

/** What was typed; a cancelled question answers a symbol. */
function given<T>(answer: T): Exclude<T, symbol> {
  if (typeof answer === "symbol") throw new AppError("interrupted");
  return answer as Exclude<T, symbol>;
}
