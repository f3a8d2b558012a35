// Answers requests for the page's files out of a folder that the build has made (scripts/build-page.ts). Nothing but plain names below
// that folder is read, and nothing that begins with a dot. Used by the server and by `web`.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RandomSource } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { pageHeaders } from "./headers.ts";

export type PageBundle = {
  /** Whether the page has been built. */
  isThere(): boolean;
  /** Throws `not_found`, `request_invalid`. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
};

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
  ".md": "text/plain; charset=utf-8",
};
const ENCODINGS = [
  { name: "br", suffix: ".br" },
  { name: "gzip", suffix: ".gz" },
] as const;
/** Each part begins with a letter, digit, _ or -: no way up, nothing hidden. */
const PLAIN_PATH = /^(?:\/[\w-][\w.-]*)+$/;
/** Names with a hash of what is in them. */
const HASHED = /^\/assets\//;
const NOT_BUILT = `<!doctype html><meta charset="utf-8"><title>CyberBackup</title>
<h1>The page has not been built</h1>
<p>This server runs and takes backups. Its page comes with the package; from the sources, <code>npm run build</code> makes it.
Then load this address again.</p>`;

/** `folder`: where the bundle is; by default beside this program. */
export function openBundle(random: RandomSource, folder: string = bundleFolder()): PageBundle {
  // One for the life of the process: an answer "not modified" must fit the page that the browser kept.
  const nonce = Buffer.from(random.bytes(18)).toString("base64");
  const headers = pageHeaders(nonce);
  return {
    isThere: () => existsSync(join(folder, "index.html")),
    async serve(request, response) {
      const path = pathOf(request);
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      if (path === "/" || path === "/index.html") return sendIndex(request, response, folder, nonce);
      if (!PLAIN_PATH.test(path)) throw notThere();
      return sendFile(request, response, folder, path);
    },
  };
}

/** In the sources and in the package `dist/web` stands beside `src/`; compiled code may stand one deeper. */
function bundleFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = ["../../../dist/web", "../../../web", "../../../../dist/web"].map((path) => join(here, path));
  return candidates.find((folder) => existsSync(join(folder, "index.html"))) ?? candidates[0]!;
}

function pathOf(request: IncomingMessage): string {
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new AppError("request_invalid", { context: { detail: "the method does not fit the address", status: 405 } });
  }
  return (request.url ?? "").split("?", 1)[0]!;
}

async function sendIndex(
  request: IncomingMessage,
  response: ServerResponse,
  folder: string,
  nonce: string,
): Promise<void> {
  const html = await readIfThere(join(folder, "index.html"));
  response.setHeader("Content-Type", TYPES[".html"]!);
  if (html === undefined) {
    response.statusCode = 503;
    send(request, response, Buffer.from(NOT_BUILT));
    return;
  }
  sendFresh(request, response, Buffer.from(html.toString("utf8").replaceAll("%NONCE%", nonce)));
}

async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  folder: string,
  path: string,
): Promise<void> {
  const type = TYPES[extname(path)];
  const found = type === undefined ? undefined : await readCoded(join(folder, path), request);
  if (type === undefined || found === undefined) throw notThere();
  response.setHeader("Content-Type", type);
  response.setHeader("Vary", "Accept-Encoding");
  if (found.encoding !== undefined) response.setHeader("Content-Encoding", found.encoding);
  if (HASHED.test(path)) {
    response.setHeader("Cache-Control", "public, max-age=31536000, immutable");
    send(request, response, found.bytes);
  } else sendFresh(request, response, found.bytes);
}

/** The smallest form that the browser takes. */
async function readCoded(
  path: string,
  { headers }: IncomingMessage,
): Promise<{ bytes: Buffer; encoding?: string } | undefined> {
  const taken = String(headers["accept-encoding"] ?? "").split(/\s*,\s*/);
  for (const { name, suffix } of ENCODINGS) {
    if (!taken.includes(name)) continue;
    const bytes = await readIfThere(path + suffix);
    if (bytes !== undefined) return { bytes, encoding: name };
  }
  const bytes = await readIfThere(path);
  return bytes && { bytes };
}

/** To be asked for each time, and sent only when it is another one. */
function sendFresh(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 27)}"`;
  response.setHeader("Cache-Control", "no-cache");
  response.setHeader("ETag", etag);
  if (request.headers["if-none-match"] === etag) {
    response.statusCode = 304;
    response.removeHeader("Content-Type");
    response.end();
  } else send(request, response, bytes);
}

function send(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  response.setHeader("Content-Length", bytes.length);
  response.end(request.method === "HEAD" ? undefined : bytes);
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR" || code === "ENAMETOOLONG") return undefined;
    throw error;
  }
}

function notThere(): AppError {
  return new AppError("not_found", { context: { what: "This address of the server" } });
}
