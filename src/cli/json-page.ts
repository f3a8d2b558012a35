// docs/json.md: every document of json-schema.ts as a table. Made by scripts/docs-cli.ts, held equal by a test.

import { z } from "zod";
import { errorSchema, progressSchema } from "./json-parts.ts";
import { DOCUMENTS } from "./json-schema.ts";

type Schema = {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
};

const INTRODUCTION = `# JSON output

With \`--json\` every command answers in JSON on standard output: one document a line. \`type\` says what a document is.

- \`result\`: the whole answer of a short command.
- \`progress\` while long work runs (the first at once, then one a second), and \`summary\` when it is done. Commands that list
  much give \`entry\` or \`change\` documents first, then the \`summary\`.
- \`error\`: the run failed, and this says why. It is the last document.

\`cat\` and \`dump\` write the file itself, and nothing else, to standard output; their \`error\` goes to standard error. Fields may be added
in later versions; none is renamed or changes its meaning. Exit codes: [errors.md](errors.md). Sizes are bytes, ids are hex.
This page is made from \`src/cli/json-schema.ts\` by \`node scripts/docs-cli.ts\`.
`;

export function jsonPage(): string {
  const parts = Object.entries(DOCUMENTS).flatMap(([command, schemas]) => [
    `## \`${command}\``,
    ...(schemas as readonly z.ZodObject[]).map((schema) =>
      schema === progressSchema ? "`progress` documents as below, then:" : table(schema),
    ),
  ]);
  const shared = ["## Progress", table(progressSchema), "## Errors", table(errorSchema)];
  return `${[INTRODUCTION.trimEnd(), ...parts, ...shared].join("\n\n")}\n`;
}

function table(schema: z.ZodObject): string {
  const rows = fieldsOf(z.toJSONSchema(schema) as Schema, "");
  return ["| Field | Type | Meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

function fieldsOf(schema: Schema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const isOptional = !(schema.required ?? []).includes(name);
    const path = `${prefix}${name}`;
    const meaning = `${isOptional ? "optional" : ""}${isOptional && field.description ? "; " : ""}${field.description ?? ""}`;
    return [
      `| \`${path}\` | ${typeOf(field).replaceAll("|", "\\|")} | ${meaning.replaceAll("|", "\\|")} |`,
      ...fieldsOf(field, `${path}.`),
      ...(field.items ? fieldsOf(field.items, `${path}[].`) : []),
    ];
  });
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(" or ");
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.type === "array") return `array of ${schema.items ? typeOf(schema.items) : "anything"}`;
  if (schema.format === "date-time") return "time";
  if (schema.type === "object" && typeof schema.additionalProperties === "object") {
    return `object of ${typeOf(schema.additionalProperties)}`;
  }
  return [schema.type ?? "anything"].flat().join(" or ");
}
