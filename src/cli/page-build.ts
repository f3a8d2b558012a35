// Builds the page before a server starts from a checkout, when its sources have changed. An installed program brings its page with it.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isSea } from "node:sea";
import { AppError } from "../core/errors.ts";
import type { Context } from "./context.ts";

const LONGEST_MS = 300_000;

/** Answers what was done, in words. Throws `build_failed`. */
export async function renewPage({ host, output }: Pick<Context, "host" | "output">): Promise<string> {
  if (isSea()) return "a single executable brings no page";
  const root = join(import.meta.dirname, "..", "..");
  const isBuilt = existsSync(join(root, "dist", "web", "index.html"));
  const script = join(root, "scripts", "build.ts");
  if (!existsSync(script)) return isBuilt ? "came with the program" : "is not part of this installation";
  if (!existsSync(join(root, "node_modules", "vite")))
    return isBuilt ? "as it was built before" : "cannot be built here";
  if (!isBuilt) output.note("Building the page, which is done once and takes up to a minute.");
  const said = await new Promise<string>((resolve, reject) => {
    const options = { cwd: root, timeout: LONGEST_MS, signal: host.signal, maxBuffer: 2 ** 24 };
    execFile(process.execPath, [script], options, (cause, stdout, stderr) => {
      if (cause === null) resolve(stdout);
      else reject(new AppError("build_failed", { cause, context: { detail: lastLine(`${stdout}\n${stderr}`) } }));
    });
  });
  return said.includes("as before") ? "is up to date" : "was built";
}

function lastLine(text: string): string {
  return (
    text
      .trimEnd()
      .split("\n")
      .findLast((line) => /error/i.test(line))
      ?.trim() ?? "it gave no reason."
  );
}
