// docs/cli.md: what --help prints, command by command. Made by scripts/docs-cli.ts, held equal by a test.

import type { Command } from "commander";

const INTRODUCTION = `# Commands

What \`cyberbackup COMMAND --help\` prints. \`CYBERBACKUP_VAULT\` stands for \`--vault\` everywhere; every setting that is a flag can be
a variable or stand in the settings file too ([config.md](config.md)). Exit codes: [errors.md](errors.md). JSON: [json.md](json.md).
This page is made from the commands themselves by \`node scripts/docs-cli.ts\`.
`;

/** Give it a program whose commands are all loaded. */
export function helpPage(program: Command): string {
  const sections = commandsBelow(program).map(
    ({ command, path }) => `## ${path}\n\n\`\`\`text\n${helpText(command).trimEnd()}\n\`\`\``,
  );
  return `${[INTRODUCTION.trimEnd(), ...sections].join("\n\n")}\n`;
}

function commandsBelow(command: Command, path = command.name()): { command: Command; path: string }[] {
  return [{ command, path }, ...command.commands.flatMap((child) => commandsBelow(child, `${path} ${child.name()}`))];
}

/** As --help prints it where no terminal sets the width, with what commands add at its end. */
function helpText(command: Command): string {
  let text = "";
  const before = command.configureOutput();
  command.configureOutput({
    ...before,
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => 80,
  });
  command.outputHelp();
  command.configureOutput(before);
  return text;
}
