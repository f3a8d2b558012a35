import assert from "node:assert/strict";
import { test } from "node:test";
import { findImports } from "./imports.ts";

const specifiers = (source: string) => findImports(source).map((found) => found.specifier);

test("every way to import is found", () => {
  const ways: [source: string, specifier: string | undefined][] = [
    [`import a from "./a.ts";`, "./a.ts"],
    [`import { a,\n  type B } from './a.ts'`, "./a.ts"],
    [`import type { A } from "./a.ts";`, "./a.ts"],
    [`import "./a.ts";`, "./a.ts"],
    [`export * from "./a.ts";`, "./a.ts"],
    [`export type { A } from "./a.ts";`, "./a.ts"],
    [`const a = await import("./a.ts");`, "./a.ts"],
    [`type A = import("./a.ts").A;`, "./a.ts"],
    [`const a = require("./a.ts");`, "./a.ts"],
    [`new Worker(new URL("./a.ts", import.meta.url));`, "./a.ts"],
    [`import.meta.resolve("./a.ts")`, "./a.ts"],
    ["await import(`./a.ts`)", "./a.ts"],
    [`await import(\`./\${name}.ts\`)`, undefined],
    [`await import(name)`, undefined],
    [`await import("./a" + name)`, undefined],
    [`import data from "./a.json" with { type: "json" };`, "./a.json"],
  ];
  for (const [source, specifier] of ways) assert.deepEqual(specifiers(source), [specifier], source);
});

test("what only looks like an import counts for nothing", () => {
  const looks = [
    `// import a from "./a.ts"`,
    `/* import a\n from "./a.ts" */`,
    `const text = 'import a from "./a.ts"';`,
    `const text = \`import a from "./a.ts" \${b}\`;`,
    `Array.from("./a.ts");`,
    `const here = import.meta.url;`,
    `path.resolve("./a.ts");`,
    `new URL("./a.ts", base);`,
    `const quote = /["']/; const other = /from "x"/;`,
  ];
  for (const source of looks) assert.deepEqual(specifiers(source), [], source);
});

test("what precedes an import does not hide it", () => {
  const before = [
    "const quote = /[\"'`/]/g;",
    "const half = total / 2 / 3;",
    `const text = \`a \${b ? \`c \${d}\` : { e: \`}\` }} f\`;`,
    "const url = 'http://example';",
    'const text = "it\'s";',
    "if (a) { return /`/.test(b) }",
  ];
  for (const source of before) assert.deepEqual(specifiers(`${source}\nimport a from "./a.ts";`), ["./a.ts"], source);
});

test("the line of an import is the one it begins on", () => {
  assert.deepEqual(findImports(`/*\n\n*/\n\`\n\`;\nimport("./a.ts")`), [{ specifier: "./a.ts", line: 6 }]);
});
