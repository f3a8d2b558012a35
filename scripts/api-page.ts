// docs/api.md: every route of the server, made from the tables in src/wire/v4/api/ that the server, its clients and openapi.json are
// made from. Written by scripts/docs-cli.ts, held equal by a test.
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { OPENAPI_ROUTES } from "../src/server/openapi.ts";
import type { Route } from "../src/wire/v4/api/route.ts";

const FOLDER = new URL("../src/wire/v4/api/", import.meta.url);

const INTRODUCTION = `# API

Every route of a server. What devices and people say to it and why, how logins work, and the layout of what is not JSON: [protocol-v4.md](protocol-v4.md).
A server describes itself for programs at \`/api/v4/openapi.json\` (OpenAPI 3.1, with the schema of every body). Errors are problem documents
(RFC 9457) with a code from [errors.md](errors.md).

Who may call: **anyone**; a **device** of the vault; any **person** with an account; or people with at least the role **viewer**, **operator** or **owner**, in the vault or in the
whole server. \`+ factor\`: people who have a second factor must have given it within five minutes.
This page is made from \`src/wire/v4/api/\` by \`node scripts/docs-cli.ts\`.
`;

export async function apiPage(): Promise<string> {
  const sections: string[] = [];
  for (const file of globSync("*-routes.ts", { cwd: fileURLToPath(FOLDER) }).sort()) {
    const module = (await import(new URL(file, FOLDER).href)) as Record<string, unknown>;
    const tables = Object.entries(module).filter(([name]) => name.endsWith("_ROUTES"));
    const routes = tables.flatMap(([, table]) => Object.values(table as Record<string, Route>));
    if (routes.length > 0) sections.push(section(titleOf(file), routes));
  }
  sections.push(section("The API itself", Object.values(OPENAPI_ROUTES)));
  return `${[INTRODUCTION.trimEnd(), ...sections].join("\n\n")}\n`;
}

function section(title: string, routes: readonly Route[]): string {
  const rows = routes.map(({ method, path, who, isGuarded, body, answer, summary }) => {
    const callers = `${who.join(", ")}${isGuarded ? " + factor" : ""}`;
    return [`\`${method} ${path}\``, callers, body?.kind ?? "–", answer.kind, summary].join(" | ");
  });
  return [
    `## ${title}`,
    "",
    "| Route | Who | Body | Answer | |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
}

/** `people-routes.ts` → `People`. */
function titleOf(file: string): string {
  const name = file.replace("-routes.ts", "");
  return name.charAt(0).toUpperCase() + name.slice(1);
}
