// Completion scripts for bash, zsh and fish. Everything that they know stands in them: no shell starts the program to complete.

import type { Command, Option } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A command (`backup`, `key add`) and what may follow it. */
type Node = {
  readonly path: string;
  readonly summary: string;
  readonly subcommands: readonly string[];
  readonly options: readonly CompletedOption[];
  /** Values of its first argument, where they are fixed. */
  readonly choices: readonly string[];
};

type CompletedOption = {
  readonly flags: readonly string[];
  readonly summary: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
};

export function completionScript(shell: Shell, program: Command): string {
  const nodes = nodesOf(program);
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](nodes);
}

function nodesOf(program: Command): Node[] {
  const shared = program.options.filter(({ long }) => long !== "--version").map(toOption);
  const visit = (command: Command, path: string): Node[] => [
    {
      path,
      summary: command.description(),
      subcommands: command.commands.map((child) => child.name()),
      options: [
        ...(command === program ? program.options.map(toOption) : [...command.options.map(toOption), ...shared]),
        { flags: ["-h", "--help"], summary: "Show this help.", takesValue: false, choices: [] },
      ],
      choices: command.registeredArguments[0]?.argChoices ?? [],
    },
    ...command.commands.flatMap((child) => visit(child, `${path} ${child.name()}`.trim())),
  ];
  return visit(program, "");
}

function toOption({ short, long, description, required, optional, argChoices }: Option): CompletedOption {
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    summary: description,
    takesValue: required || optional,
    choices: argChoices ?? [],
  };
}

function words(node: Node): string {
  return [...node.subcommands, ...node.choices, ...node.options.flatMap(({ flags }) => flags)].join(" ");
}

function withChoices(nodes: readonly Node[]): CompletedOption[] {
  const all = nodes.flatMap(({ options }) => options).filter(({ choices }) => choices.length > 0);
  return [...new Map(all.map((option) => [option.flags.join("|"), option])).values()];
}

/** Options whose value is a file or folder, or free: the shell offers file names. */
function withValue(nodes: readonly Node[]): string[] {
  const all = nodes
    .flatMap(({ options }) => options)
    .filter(({ takesValue, choices }) => takesValue && choices.length === 0);
  return [...new Set(all.flatMap(({ flags }) => flags))];
}

function bashScript(nodes: readonly Node[]): string {
  const choices = withChoices(nodes).map(
    ({ flags, choices }) =>
      `    ${flags.join("|")}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$word")); return ;;`,
  );
  const lists = nodes.map((node) => `    "${node.path}") list="${words(node)}" ;;`);
  const parents = nodes
    .filter(({ path, subcommands }) => path !== "" && subcommands.length > 0)
    .map(({ path }) => path);
  return `# bash completion for cyberbackup
_cyberbackup() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path="" list="" i
  COMPREPLY=()
  case $before in
${choices.join("\n")}
    ${withValue(nodes).join("|")}) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${withValue(nodes)
        .concat(withChoices(nodes).flatMap(({ flags }) => flags))
        .join("|")}) ((i++)) ;;
      -*) ;;
      *)
        case $path in
          "") path=\${COMP_WORDS[i]} ;;
          ${parents.join("|")}) path="$path \${COMP_WORDS[i]}" ;;
        esac ;;
    esac
  done
  case $path in
${lists.join("\n")}
  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$list" -- "$word"))
  else
    local names
    names=$(printf '%s\\n' $list | grep -v '^-')
    if [[ $names ]]; then COMPREPLY=($(compgen -W "$names" -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi
  fi
}
complete -o filenames -F _cyberbackup cyberbackup
`;
}

function zshScript(nodes: readonly Node[]): string {
  const cases = nodes.map((node) => {
    const specs = node.options.map(zshOption);
    const commands = nodes.filter(({ path }) => isChild(node, path));
    const described = commands.map(({ path, summary }) => quote(`${path.split(" ").at(-1)}:${summary}`));
    const rest = described.length > 0 ? quote("1:command:->commands") : "'*:file:_files'";
    const first = node.choices.length > 0 ? quote(`1:value:(${node.choices.join(" ")})`) : rest;
    const then = described.length > 0 ? `\n      commands=(${described.join(" ")})` : "";
    return `    ${quote(node.path)})${then}\n      _arguments -s ${[...specs, first].join(" \\\n        ")} ;;`;
  });
  const parents = nodes
    .filter(({ path, subcommands }) => path !== "" && subcommands.length > 0)
    .map(({ path }) => path);
  const valued = [...withValue(nodes), ...withChoices(nodes).flatMap(({ flags }) => flags)].join("|");
  return `#compdef cyberbackup
# zsh completion for cyberbackup
_cyberbackup() {
  local state commands place="" word
  local -i i skip=0 at=0
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if ((skip)); then skip=0; continue; fi
    case $word in
      ${valued}) skip=1 ;;
      -*) ;;
      *)
        case $place in
          "") place=$word; at=i-1 ;;
          ${parents.join("|")}) place="$place $word"; at=i-1 ;;
        esac ;;
    esac
  done
  shift $at words
  ((CURRENT -= at))
  case $place in
${cases.join("\n")}
  esac
  [[ $state == commands ]] && _describe command commands
}
_cyberbackup "$@"
`;
}

function zshOption({ flags, summary, takesValue, choices }: CompletedOption): string {
  const text = summary.replace(/[[\]:]/g, "\\$&");
  const value = choices.length > 0 ? `:value:(${choices.join(" ")})` : takesValue ? ":value:_files" : "";
  return flags.map((flag) => quote(`${flag}[${text}]${value}`)).join(" ");
}

function fishScript(nodes: readonly Node[]): string {
  const lines = nodes.flatMap((node) => {
    const condition = fishCondition(node);
    const commands = nodes
      .filter(({ path }) => isChild(node, path))
      .map(
        ({ path, summary }) =>
          `complete -c cyberbackup -f -n ${condition} -a ${path.split(" ").at(-1)} -d ${quote(summary)}`,
      );
    const choices = node.choices.map((choice) => `complete -c cyberbackup -f -n ${condition} -a ${choice}`);
    return [...commands, ...choices, ...node.options.map((option) => fishOption(option, condition))];
  });
  return `# fish completion for cyberbackup\n${lines.join("\n")}\n`;
}

function fishCondition({ path, subcommands }: Node): string {
  const [command, subcommand] = path.split(" ");
  if (!command) return "__fish_use_subcommand";
  const seen = `__fish_seen_subcommand_from ${command}`;
  if (subcommand) return quote(`${seen}; and __fish_seen_subcommand_from ${subcommand}`);
  return subcommands.length === 0
    ? quote(seen)
    : quote(`${seen}; and not __fish_seen_subcommand_from ${subcommands.join(" ")}`);
}

function fishOption({ flags, summary, takesValue, choices }: CompletedOption, condition: string): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = choices.length > 0 ? ` -x -a ${quote(choices.join(" "))}` : takesValue ? " -r" : "";
  return `complete -c cyberbackup -n ${condition} ${names.join(" ")}${value} -d ${quote(summary)}`;
}

function isChild(parent: Node, path: string): boolean {
  if (path === "") return false;
  return path.split(" ").slice(0, -1).join(" ") === parent.path;
}

/** One word for any of the three shells. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
