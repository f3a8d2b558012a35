// The server as a process of its own, which can be killed and started again at the same address.

import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { JsonDocument } from "../../src/cli/json-schema.ts";
import { documentsIn, type Place, start } from "../cli/run-cli.ts";

type Started = Extract<JsonDocument, { type: "started"; command: "serve" }>;

export class ServerProcess {
  readonly data: string;
  readonly #place: Place;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  #said: Started | undefined;
  /** What it wrote to standard error, of all its lives. */
  errors = "";

  constructor(place: Place, flags: readonly string[] = []) {
    this.#place = place;
    this.#flags = flags;
    this.data = join(place.folder, "srv");
  }

  get said(): Started {
    return this.#said!;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** At any port the first time, at the same one after that. */
  async start(): Promise<Started> {
    const listen = `127.0.0.1:${this.#said?.port ?? 0}`;
    const flags = ["--data", this.data, "--listen", listen, "--no-web", "--reserve-mib", "0", "--json", ...this.#flags];
    const child = start(this.#place, ["serve", ...flags]);
    this.#child = child;
    child.stderr!.on("data", (slice: Buffer) => {
      this.errors += slice;
    });
    this.#said = await new Promise<Started>((resolve, reject) => {
      let text = "";
      child.stdout!.on("data", (slice: Buffer) => {
        if (text.includes("\n")) return;
        text += slice;
        if (text.includes("\n")) resolve(documentsIn(text.split("\n", 1)[0]!, "serve")[0] as Started);
      });
      child.on("exit", (code) => reject(new Error(`the server ended with ${code}: ${this.errors}`)));
    });
    return this.#said;
  }

  /** Ends it by a signal; its exit code, null after SIGKILL. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    return new Promise((resolve) => {
      child.on("exit", resolve);
      child.kill(signal);
    });
  }
}
