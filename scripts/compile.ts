// Compiles the program (src/ without the page) to JavaScript in dist/, file by file, for the package: Node strips no types inside
// node_modules. Every file keeps its depth, so that what lies beside it is found as from the sources. Fails when a file that is
// imported is not there.
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { findImports } from "./imports.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Rooms that run in Node. `dist/web` is the page. */
const SOURCES = ["src/{core,crypto,wire,engine,storage,vault,node,client,gateway,server,cli}/**/*.ts"];

/** Answers how many files there are. */
export async function compile(target: string): Promise<number> {
  const paths = globSync(SOURCES, { cwd: ROOT }).filter((path) => !/\.(?:test|d)\.ts$/.test(path));
  const rooms = new Set(paths.map((path) => path.split(/[\\/]/)[1]!));
  for (const room of rooms) rmSync(join(target, room), { recursive: true, force: true });
  const written: string[] = [];
  for (const path of paths) {
    const source = readFileSync(join(ROOT, path), "utf8");
    const { code } = await transform(source, { loader: "ts", format: "esm", target: "node24", sourcefile: path });
    const to = join(target, path.replace(/^src[\\/]/, "").replace(/\.ts$/, ".js"));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, toJavaScript(code));
    written.push(to);
  }
  for (const path of written) checkImports(path);
  return written.length;
}

/** Relative imports, and the files of threads, end in .js. */
export function toJavaScript(code: string): string {
  return code.replace(/(\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)"(\.{1,2}\/[^"\n]+)\.ts"/g, '$1"$2.js"');
}

function checkImports(path: string): void {
  for (const { specifier } of findImports(readFileSync(path, "utf8"))) {
    if (specifier === undefined || !specifier.startsWith(".")) continue;
    if (specifier.endsWith(".js") && existsSync(resolve(dirname(path), specifier))) continue;
    throw new Error(`${path} imports ${specifier}, which is not in the package.`);
  }
}
