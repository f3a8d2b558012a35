// Writes the generated parts of docs/: the tables of settings, ports and limits, errors and exit codes, each from the one
// table in src/. `--check` writes nothing and fails when a page is stale. Text outside the marked parts is left alone.

import { readFileSync, writeFileSync } from "node:fs";
import { CONFIG, CONFIG_KEYS, envName, flagName, LIMITS, PORTS } from "../src/core/config-schema.ts";
import { ERRORS, EXIT } from "../src/core/errors.ts";

type Part = { readonly name: string; readonly render: () => string };

/** Page (in docs/) → the parts that are generated in it. */
export const PAGES: Readonly<Record<string, readonly Part[]>> = {
  "config.md": [
    { name: "settings", render: settingsTable },
    { name: "ports", render: () => constantsTable("Port", PORTS) },
    { name: "limits", render: () => constantsTable("Limit", LIMITS) },
  ],
  "errors.md": [
    { name: "exit-codes", render: exitCodesTable },
    { name: "errors", render: errorsTable },
  ],
};

/** `page` with each of its marked parts made anew; throws when a mark is missing. */
export function renew(page: string, parts: readonly Part[]): string {
  return parts.reduce((text, { name, render }) => {
    const [open, close] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
    const [start, end] = [text.indexOf(open), text.indexOf(close)];
    if (start < 0 || end < start) throw new Error(`The marks "${open}" and "${close}" are missing.`);
    return `${text.slice(0, start + open.length)}\n${render()}\n${text.slice(end)}`;
  }, page);
}

function settingsTable(): string {
  const rows = CONFIG_KEYS.map((key) => {
    const { accepts, description, sources, default: byDefault } = CONFIG[key];
    return [
      `\`${key}\``,
      sources.includes("file") ? "yes" : "no",
      sources.includes("flag") ? `\`${flagName(key)}\`` : "–",
      sources.includes("env") ? `\`${envName(key)}\`` : "–",
      accepts,
      key === "home" ? "see above" : byDefault === undefined ? "–" : `\`${byDefault}\``,
      description,
    ];
  });
  return table(["Key", "In the file", "Flag", "Variable", "Accepts", "Default", "Meaning"], rows);
}

function constantsTable(title: string, constants: typeof PORTS | typeof LIMITS): string {
  const rows = Object.entries(constants).map(([name, { value, description }]) => [name, String(value), description]);
  return table([title, "Value", "Meaning"], rows);
}

function exitCodesTable(): string {
  const rows = Object.entries(EXIT).map(([name, code]) => [String(code), name, codesWithExit(code)]);
  return table(["Exit code", "Name", "Errors"], rows);
}

function codesWithExit(exit: number): string {
  const codes = Object.entries(ERRORS).flatMap(([code, spec]) => (spec.exit === exit ? [`\`${code}\``] : []));
  return codes.join(", ") || "–";
}

function errorsTable(): string {
  const rows = Object.entries(ERRORS).map(([code, { message, hint, exit, http, retry }]) => [
    `\`${code}\``,
    message,
    hint,
    String(exit),
    String(http),
    retry ? "yes" : "no",
  ]);
  return table(["Code", "Message", "What to do", "Exit code", "HTTP", "Worth retrying"], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

if (import.meta.main) {
  const check = process.argv.includes("--check");
  for (const [name, parts] of Object.entries(PAGES)) {
    const path = new URL(`../docs/${name}`, import.meta.url);
    const before = readFileSync(path, "utf8");
    const after = renew(before, parts);
    if (after === before) continue;
    if (check) {
      console.error(`docs/${name} is stale. Run: node scripts/docs.ts`);
      process.exitCode = 1;
    } else {
      writeFileSync(path, after);
      console.log(`docs/${name} written`);
    }
  }
}
