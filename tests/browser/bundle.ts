// Turns one test file into one script for a browser, with shims in place of node:test and node:assert. A file that needs
// anything else of Node does not bundle, which is a failure of that file.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const ROOT = path("../..");

/** The script of a test file (relative to the repository), or of a source text that imports nothing by relative path. */
export async function bundleTest(test: { readonly file: string } | { readonly source: string }): Promise<string> {
  const body = "file" in test ? `import ${JSON.stringify(`./${test.file}`)};` : test.source;
  const { outputFiles } = await build({
    stdin: {
      // Imports are evaluated first, whatever the order of the lines, so the tests are collected when runAll is called.
      contents: `
        import { runAll } from "node:test";
        ${body}
        const reports = await runAll();
        await fetch("report", { method: "POST", body: JSON.stringify(reports) });
      `,
      resolveDir: ROOT,
      loader: "ts",
    },
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "chrome130",
    keepNames: true,
    logLevel: "silent",
    loader: { ".wasm": "dataurl" },
    alias: {
      "node:test": path("test-shim.ts"),
      "node:assert/strict": path("assert-shim.ts"),
    },
    plugins: [
      {
        name: "the browser's platform in place of Node's",
        setup({ onResolve }) {
          onResolve({ filter: /\/platform\.ts$/ }, ({ path: wanted, resolveDir }) => {
            const resolved = fileURLToPath(new URL(wanted, `file://${resolveDir}/`));
            return resolved === path("../platform.ts") ? { path: path("platform.browser.ts") } : undefined;
          });
        },
      },
    ],
  });
  return outputFiles[0]!.text;
}
