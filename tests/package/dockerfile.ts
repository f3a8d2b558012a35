// Carries a Dockerfile out without a container: each stage is a folder that stands for its root, COPY copies, RUN runs with the absolute
// paths of the stage put below that folder. So what an image is made by cannot drift from what works. It knows the instructions that
// ours use, and fails at others.

import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

export type Instruction = { readonly name: string; readonly text: string };
export type Stage = { readonly name: string; readonly from: string; readonly instructions: readonly Instruction[] };

export function stagesOf(dockerfile: string): Stage[] {
  const lines = dockerfile
    .replace(/^\s*#.*\n/gm, "")
    .replace(/\\\n/g, " ")
    .split("\n");
  const stages: { name: string; from: string; instructions: Instruction[] }[] = [];
  for (const line of lines.filter((each) => each.trim() !== "")) {
    const [, name = "", text = ""] = /^([A-Z]+)\s+(.*)$/.exec(line.trim())!;
    const [, from, as] = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(name === "FROM" ? text : "") ?? [];
    if (from === undefined) stages.at(-1)!.instructions.push({ name, text: text.replace(/\s+/g, " ") });
    else stages.push({ name: as ?? "final", from, instructions: [] });
  }
  return stages;
}

export type Build = {
  /** Stage → the folder that is its root. */
  readonly roots: ReadonlyMap<string, string>;
  readonly root: string;
};

type Options = {
  readonly stage: Stage;
  readonly context: string;
  /** Holds a folder for each stage. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** What a RUN does that is done already another way: answers true then. */
  readonly instead?: (command: string, workdir: string) => boolean;
};

/** Carries one stage out; those it copies from must be there. Answers its root. */
export async function carryOut({ stage, context, folder, env, instead }: Options): Promise<string> {
  const root = join(folder, stage.name);
  mkdirSync(root, { recursive: true });
  let workdir = root;
  for (const { name, text } of stage.instructions) {
    if (name === "WORKDIR") {
      workdir = join(root, text);
      mkdirSync(workdir, { recursive: true });
    } else if (name === "COPY") copy(text, { context, folder, root, workdir });
    else if (name === "RUN") {
      const command = text.replace(/(?<=^|[\s=])\/(?=src|opt|out|var)/g, `${root}/`);
      if (!instead?.(command, workdir)) await exec("sh", ["-ec", command], { cwd: workdir, env, maxBuffer: 2 ** 26 });
    } else if (!SETTINGS.has(name)) throw new Error(`This test does not know what ${name} does.`);
  }
  return root;
}

/** What a container is started with, and nothing is done for here. */
const SETTINGS = new Set(["ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD"]);

function copy(text: string, at: { context: string; folder: string; root: string; workdir: string }): void {
  const words = text.split(" ");
  const flags = words.filter((word) => word.startsWith("--"));
  const [target, ...sources] = words.filter((word) => !word.startsWith("--")).reverse();
  const stage = flags.find((flag) => flag.startsWith("--from="))?.slice("--from=".length);
  const to = target!.startsWith("/") ? join(at.root, target!) : resolve(at.workdir, target!);
  mkdirSync(dirname(to), { recursive: true });
  for (const source of sources.reverse()) {
    if (stage !== undefined) execFileSync("cp", ["-al", join(at.folder, stage, source), to]);
    else if (source === ".") copyContext(at.context, to);
    else cpSync(join(at.context, source), join(to, source));
  }
}

/** As .dockerignore says: its lines are names at the top, but for globs of single files. */
function copyContext(context: string, to: string): void {
  const ignored = readFileSync(join(context, ".dockerignore"), "utf8").split("\n");
  const tracked = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: context,
  });
  for (const path of tracked.toString().split("\0")) {
    if (path === "" || ignored.includes(path.split("/")[0]!) || !existsSync(join(context, path))) continue;
    cpSync(join(context, path), join(to, path));
  }
}

/** `["a", "b"]` of an ENTRYPOINT or CMD; the variables of an ENV. */
export function settingsOf({ instructions }: Stage): {
  readonly entrypoint: string[];
  readonly cmd: string[];
  readonly health: string[];
  readonly env: Record<string, string>;
  readonly user: string;
} {
  const text = (name: string): string => instructions.find((one) => one.name === name)?.text ?? "";
  const words = (from: string): string[] => JSON.parse(from.slice(from.indexOf("["))) as string[];
  return {
    entrypoint: words(text("ENTRYPOINT")),
    cmd: words(text("CMD")),
    health: words(text("HEALTHCHECK")),
    env: Object.fromEntries(
      text("ENV")
        .split(" ")
        .map((pair) => pair.split("=") as [string, string]),
    ),
    user: text("USER"),
  };
}
