// Problems of a vault's own objects, as scrub, check and rebuild find them: a line each, and as JSON.

import type { Problem } from "../wire/v4/admin-port.ts";
import type { Context } from "./context.ts";
import type { ProblemJson } from "./json-schema.ts";
import { shownText } from "./shown-path.ts";

export function showVaultProblems({ output }: Context, problems: readonly Problem[]): void {
  for (const { object, detail } of problems) {
    output.print(`${output.paint.red("damaged")}  ${shownText(object)}  ${shownText(detail)}`);
  }
}

export function vaultProblemJson({ object, code, detail }: Problem): ProblemJson {
  return { path: object, code, detail };
}
