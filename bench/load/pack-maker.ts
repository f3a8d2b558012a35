// Packs made by the thread of pack-thread.ts.

import { Worker } from "node:worker_threads";
import type { PackAnswer, PackRequest } from "./pack-thread.ts";

export class PackMaker {
  readonly #thread = new Worker(new URL("./pack-thread.ts", import.meta.url));
  readonly #waiting = new Map<number, (pack: Uint8Array) => void>();
  #last = 0;

  constructor() {
    this.#thread.on("message", ({ id, pack }: PackAnswer) => {
      this.#waiting.get(id)?.(pack);
      this.#waiting.delete(id);
    });
  }

  make(what: Omit<PackRequest, "id">): Promise<Uint8Array> {
    const id = ++this.#last;
    this.#thread.postMessage({ ...what, id } satisfies PackRequest);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  close(): Promise<number> {
    return this.#thread.terminate();
  }
}
