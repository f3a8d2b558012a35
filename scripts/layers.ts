// The layer check: which room of src/ may import which. The table below is the rule: an arrow only ever points down.
// vault/ and server/ know of crypto/ nothing but crypto/signature, and of engine/ nothing at all: that they cannot decrypt
// is not a habit but this check. Tests may import anything. Run alone: node scripts/layers.ts
import { globSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { findImports } from "./imports.ts";

type Room = {
  /** Rooms, or single modules of rooms, that it may import. */
  readonly below: readonly string[];
  /** npm packages that it may import. */
  readonly packages: readonly string[];
  /** False for code that also runs in a browser: no Node modules. */
  readonly node: boolean;
};

const ISOMORPHIC = false;
const ON_NODE = true;

function room(below: string[], packages: string[], node: boolean): Room {
  return { below, packages, node };
}

const WEB_PACKAGES = [
  "@bokuweb/zstd-wasm",
  "@mantine/charts",
  "@mantine/core",
  "@mantine/dropzone",
  "@mantine/form",
  "@mantine/hooks",
  "@mantine/modals",
  "@mantine/notifications",
  "@mantine/spotlight",
  "@tabler/icons-react",
  "@tanstack/react-query",
  "@tanstack/react-router",
  "@tanstack/react-virtual",
  "@zxcvbn-ts/core",
  "@zxcvbn-ts/language-common",
  "@zxcvbn-ts/language-en",
  "age-encryption",
  "client-zip",
  "idb",
  "react",
  "react-dom",
  "tar-stream",
  "uqr",
  "zod",
];

const ROOMS: Readonly<Record<string, Room>> = {
  core: room([], ["zod"], ISOMORPHIC),
  crypto: room(["core"], ["age-encryption", "zod"], ISOMORPHIC),
  wire: room(["core"], ["zod", "@msgpack/msgpack"], ISOMORPHIC),
  engine: room(["core", "crypto", "wire"], ["tar-stream", "client-zip", "picomatch", "croner"], ISOMORPHIC),
  storage: room(["core"], [], ON_NODE),
  vault: room(["core", "wire", "storage", "crypto/signature"], [], ON_NODE),
  node: room(["core"], ["pino", "pino-pretty", "pino-roll", "@sentry/node"], ON_NODE),
  client: room(
    ["core", "crypto", "wire", "engine", "node"],
    ["tar-stream", "client-zip", "picomatch", "koffi", "age-encryption", "zod"],
    ON_NODE,
  ),
  // vault/database is the adapter over SQLite and nothing of a vault.
  gateway: room(["core", "wire", "engine", "client", "node", "crypto/tokens", "vault/database"], [], ON_NODE),
  server: room(
    ["core", "wire", "storage", "vault", "node", "crypto/signature"],
    [
      "zod",
      "better-auth",
      "@better-auth/api-key",
      "@better-auth/utils",
      "kysely",
      "croner",
      "@peculiar/x509",
      "reflect-metadata",
      "prom-client",
      "nodemailer",
      "@simplewebauthn/server",
      "jose",
    ],
    ON_NODE,
  ),
  web: room(["core", "crypto", "wire", "engine"], WEB_PACKAGES, ISOMORPHIC),
  cli: room(
    ["core", "crypto", "wire", "engine", "storage", "vault", "node", "client", "gateway", "server", "web"],
    ["commander", "@clack/prompts", "log-update", "uqr", "tar-stream", "client-zip", "picomatch", "zod"],
    ON_NODE,
  ),
};

/** One file's imports that its room does not allow, each as a line for a person. `path` is relative: `src/vault/gc.ts`. */
export function violations(path: string, source: string): string[] {
  const [top, name = ""] = path.split("/");
  const from = ROOMS[name];
  if (top !== "src" || from === undefined) return [`${path}: belongs to no room; scripts/layers.ts lists them`];
  const found: string[] = [];
  for (const { specifier, line } of findImports(source)) {
    const problem = specifier === undefined ? computed(name) : problemWith(path, name, from, specifier);
    if (problem !== undefined) found.push(`${path}:${line}: ${problem}`);
  }
  return found;
}

function computed(name: string): string | undefined {
  return name === "cli" ? undefined : "imports a path that is computed, so no check can follow it";
}

function problemWith(path: string, name: string, from: Room, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return climb(name, from, normalize(join(dirname(path), specifier)));
  if (isBuiltin(specifier)) {
    return from.node ? undefined : `${name}/ also runs in a browser and may not import ${specifier}`;
  }
  return ofPackage(name, from, specifier);
}

function ofPackage(name: string, from: Room, specifier: string): string | undefined {
  const npmName = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  return from.packages.includes(npmName) ? undefined : `${name}/ may not import the package ${npmName}`;
}

function climb(name: string, from: Room, target: string): string | undefined {
  const [top, to = "", ...rest] = target.replace(/\.tsx?$/, "").split("/");
  // A file that a package does not export by itself.
  if (top === "node_modules") return ofPackage(name, from, [to, ...rest].join("/"));
  if (top !== "src") return `reaches outside src/ (${target})`;
  if (to === name || from.below.includes(to)) return undefined;
  if (from.below.includes(`${to}/${rest.join("/")}`)) return undefined;
  return `${name}/ may not import from ${to}/ (${target})`;
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const files = globSync("src/**/*.{ts,tsx}", { cwd: root }).filter((path) => !/\.test\.tsx?$/.test(path));
  const found = files.flatMap((path) => violations(path, readFileSync(join(root, path), "utf8")));
  for (const line of found) console.error(line);
  console.log(`${files.length} files, ${found.length} imports that climb`);
  if (found.length > 0) process.exitCode = 1;
}
