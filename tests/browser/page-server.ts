// Serves test pages to the browser on the loopback interface, and takes their reports. Nothing but those pages is served;
// the policy of the real web page holds here too: scripts from this server only, WebAssembly, no eval, no other host.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { TestReport } from "./test-shim.ts";

const HEADERS = {
  // "data:" is for tests/browser/platform.browser.ts, whose WebAssembly code is inside the script.
  "content-security-policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' data:; base-uri 'none'; form-action 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};
const HTML = '<!doctype html><meta charset="utf-8"><title>Tests</title><script type="module" src="script.js"></script>';

type Page = { readonly script: string; readonly report: PromiseWithResolvers<readonly TestReport[]> };

export class PageServer {
  readonly #server: Server;
  readonly #pages: Page[] = [];

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<PageServer> {
    const pages = new PageServer();
    await new Promise<void>((resolve) => pages.#server.listen(0, "127.0.0.1", resolve));
    return pages;
  }

  /** A page that runs `script`, and what that will report. */
  add(script: string): { readonly url: string; readonly report: Promise<readonly TestReport[]> } {
    const page = { script, report: Promise.withResolvers<readonly TestReport[]>() };
    const number = this.#pages.push(page) - 1;
    const { port } = this.#server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/${number}/`, report: page.report.promise };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, number, name] = /^\/(\d+)\/(|script\.js|report)$/.exec(request.url ?? "") ?? [];
    const page = this.#pages[Number(number)];
    if (page === undefined) response.writeHead(404, HEADERS).end();
    else if (name === "report") {
      page.report.resolve((await json(request)) as readonly TestReport[]);
      response.writeHead(204, HEADERS).end();
    } else if (name === "script.js") {
      response.writeHead(200, { ...HEADERS, "content-type": "text/javascript; charset=utf-8" }).end(page.script);
    } else response.writeHead(200, { ...HEADERS, "content-type": "text/html; charset=utf-8" }).end(HTML);
  }
}
