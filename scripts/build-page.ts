// Bundles the page (src/web) into dist/web, each file beside its compressed twins. What is there is made of is written down in
// `.inputs`, so that a second build of the same sources costs a look at them. Fails when what a browser must load before the engine is
// needed is more than the budget.
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync, constants as zlib } from "node:zlib";
import react from "@vitejs/plugin-react";
import presetMantine from "postcss-preset-mantine";
import { build, type Plugin } from "vite";
import { heaviestPage } from "./page-weight.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = ["src/{web,core,crypto,wire,engine}/**/*", "scripts/build-page.ts", "package-lock.json"];
/** JavaScript, gzipped, of the first page that somebody sees, whichever it is, without the engine. */
export const BUDGET_BYTES = 350 * 1024;
const COMPRESSED = /\.(?:js|css|html|svg|wasm|json|md)$/;

export const PAGE_FOLDER = join(ROOT, "dist", "web");

/** Whether the page has to be built (again). */
export function isPageStale(folder: string = PAGE_FOLDER): boolean {
  const stamp = join(folder, ".inputs");
  return !existsSync(stamp) || readFileSync(stamp, "utf8") !== inputsHash();
}

/** Builds beside the folder and then takes its place, so that a server which serves the old page never finds half of a new one. */
export async function buildPage(folder: string = PAGE_FOLDER): Promise<{ heaviestBytes: number; page: string }> {
  const inputs = inputsHash();
  const draft = `${folder}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  try {
    await bundle(draft);
    const heaviest = heaviestPage(draft);
    if (heaviest.heaviestBytes > BUDGET_BYTES) {
      const kib = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;
      throw new Error(
        `${heaviest.page} loads ${kib(heaviest.heaviestBytes)} of JavaScript (gzipped); ${kib(BUDGET_BYTES)} are allowed.`,
      );
    }
    compress(draft);
    writeFileSync(join(draft, ".inputs"), inputs);
    const old = `${draft}.old`;
    if (existsSync(folder)) renameSync(folder, old);
    renameSync(draft, folder);
    rmSync(old, { recursive: true, force: true });
    return heaviest;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function bundle(outDir: string): Promise<void> {
  mkdirSync(outDir, { recursive: true });
  await build({
    root: join(ROOT, "src", "web"),
    configFile: false,
    logLevel: "warn",
    plugins: [zodWithoutEval, react()],
    css: { postcss: { plugins: [presetMantine()] } },
    worker: { format: "es", plugins: () => [zodWithoutEval] },
    build: {
      outDir,
      emptyOutDir: true,
      target: ["chrome120", "firefox121", "safari17.4"],
      // The policy of the page allows no data: addresses for code, and one file more costs nothing.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      manifest: true,
      license: { fileName: "licenses.md" },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 2048,
    },
  });
}

/** Zod tries whether it may compile its schemas, by `new Function`: under the page's policy that is a violation, however it ends. */
const zodWithoutEval: Plugin = {
  name: "zod without eval",
  transform: {
    filter: { id: /zod\/v4\/core\/core\.js$/ },
    handler(code) {
      const changed = code.replace("__zod_globalConfig = {}", "__zod_globalConfig = { jitless: true }");
      if (changed === code) throw new Error("zod keeps its settings elsewhere now");
      return { code: changed, map: null };
    },
  },
};

function compress(folder: string): void {
  for (const name of globSync("**/*", { cwd: folder })) {
    if (!COMPRESSED.test(name) || name === "index.html") continue;
    const path = join(folder, name);
    const bytes = readFileSync(path);
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    const params = { [zlib.BROTLI_PARAM_QUALITY]: 9, [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
  }
}

function inputsHash(): string {
  const hash = createHash("sha256");
  const files = globSync(SOURCES, { cwd: ROOT, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes(".test."))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const path of files)
    hash
      .update(`${path.slice(ROOT.length)}\n`)
      .update(readFileSync(path))
      .update("\n");
  return hash.digest("hex");
}
