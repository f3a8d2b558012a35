// npm run build:executable [-- FILE]: the command line and the agent as one file that needs nothing installed (Node's single
// executable applications). The program is bundled into one script, its threads and what it reads are put beside it as assets. The
// page is not in it: a server is installed as a package or image.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { requireNode } from "./node-version.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MAIN = "src/cli/main.ts";
const THREADS = "src/**/*-thread.ts";
/** As in ./cyberbackup, where the reasons are. */
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=4", "--heap-growing-percent=15"];

/** Packages that are CommonJS ask for Node's own modules by `require`. There is nothing else to be had, least of all beside the file. */
const REQUIRE = `const require = (name) => {
  const module = process.getBuiltinModule(name);
  if (module === undefined) throw Object.assign(new Error(name + " is not in this executable"), { code: "MODULE_NOT_FOUND" });
  return module;
};`;
/** A thread is started from its asset. */
const THREAD = `import { getAsset as __getAsset } from "node:sea";
const __thread = (name) => new URL("data:text/javascript," + encodeURIComponent(__getAsset(name, "utf8")));`;

/** Answers how large the file is. */
export async function buildExecutable(output: string): Promise<number> {
  const work = `${output}.build`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    const threads = globSync(THREADS, { cwd: ROOT });
    const assets: Record<string, string> = { "package.json": join(ROOT, "package.json") };
    for (const path of [MAIN, ...threads]) {
      const script = join(work, `${basename(path, ".ts")}.mjs`);
      await bundle(path, script);
      if (path !== MAIN) assets[basename(path, ".ts")] = script;
    }
    const native = nativeLibrary();
    if (native !== undefined) assets["koffi.node"] = native;
    const config = join(work, "sea.json");
    const settings = {
      main: join(work, "main.mjs"),
      mainFormat: "module",
      output,
      assets,
      execArgv: NODE_FLAGS,
      execArgvExtension: "none",
      disableExperimentalSEAWarning: true,
    };
    writeFileSync(config, JSON.stringify(settings));
    execFileSync(process.execPath, [`--build-sea=${config}`], { stdio: ["ignore", "pipe", "inherit"] });
    if (process.platform === "darwin") execFileSync("codesign", ["--sign", "-", output], { stdio: "inherit" });
    return readFileSync(output).length;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, entry)],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node26",
    logLevel: "error",
    banner: { js: `${THREAD}\n${REQUIRE}` },
    plugins: [THREAD_URLS, KOFFI],
  });
}

/** `new URL("./seal-thread.ts", import.meta.url)` names a file that will not be there. */
const THREAD_URLS: Plugin = {
  name: "thread-urls",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const contents = source.replace(/new URL\("\.\/([\w-]+-thread)\.ts", import\.meta\.url\)/g, '__thread("$1")');
      return contents === source
        ? undefined
        : { contents: `declare const __thread: (name: string) => URL;\n${contents}`, loader: "ts" };
    });
  },
};

/** The library behind koffi is loaded from its asset; without one, `load` fails and the portable calls serve (client/posix.ts). */
const KOFFI: Plugin = {
  name: "koffi",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^koffi$/ }, () => ({ path: "koffi", namespace: "native" }));
    onLoad({ filter: /.*/, namespace: "native" }, () => ({
      contents: readFileSync(join(ROOT, "scripts", "sea-koffi.js"), "utf8"),
    }));
  },
};

function nativeLibrary(): string | undefined {
  const name = `koffi-${process.platform}-${process.arch}`;
  const path = join(ROOT, "node_modules", "@koromix", name, `${process.platform}_${process.arch}`, "koffi.node");
  return process.platform === "linux" && existsSync(path) ? path : undefined;
}

if (import.meta.main) {
  requireNode();
  const suffix = process.platform === "win32" ? ".exe" : "";
  const output = process.argv[2] ?? join(ROOT, "dist", `cyberbackup-${process.platform}-${process.arch}${suffix}`);
  mkdirSync(dirname(output), { recursive: true });
  const start = performance.now();
  const bytes = await buildExecutable(output);
  console.log(`✔ ${output}, ${Math.round(bytes / 2 ** 20)} MiB, ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
