// `completion`: a script that completes commands, options and their values, made from the tree of commands.

import { Argument, type Command } from "commander";
import { completionScript, SHELLS, type Shell } from "../completion-script.ts";
import { action, type Context } from "../context.ts";
import { addExamples, buildProgram, type Cli, loadAll } from "../program.ts";

export function define(command: Command, cli: Cli): void {
  command
    .addArgument(new Argument("<shell>", "Which shell.").choices(SHELLS))
    .action(action(cli, (context: Context, _options: object, shell: Shell) => run(cli, context, shell)));
  addExamples(command, [
    ['eval "$(cyberbackup completion bash)"', "in ~/.bashrc"],
    ["cyberbackup completion zsh > ~/.zsh/completions/_cyberbackup", "for zsh, in a folder of fpath"],
    ["cyberbackup completion fish > ~/.config/fish/completions/cyberbackup.fish", "for fish"],
  ]);
}

async function run(cli: Cli, { output }: Context, shell: Shell): Promise<undefined> {
  const program = buildProgram(cli);
  await loadAll(program, cli);
  const script = completionScript(shell, program);
  output.print(script.trimEnd());
  output.json({ type: "result", command: "completion", shell, script });
}
