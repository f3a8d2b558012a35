// The real agent in a process of its own, followed by the events that it prints, a line each.

import type { ChildProcess } from "node:child_process";
import type { AgentEventJson, JsonDocument } from "../../src/cli/json-schema.ts";
import { documentsIn, type Place, start } from "../cli/run-cli.ts";

export class AgentProcess {
  readonly #place: Place;
  readonly events: AgentEventJson[] = [];
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);
  readonly #waiting = new Set<() => void>();
  errors = "";

  constructor(place: Place) {
    this.#place = place;
  }

  start(): void {
    const child = start(this.#place, ["agent", "run", "--json"]);
    this.#child = child;
    child.stdin!.end();
    let rest = "";
    child.stdout!.on("data", (slice: Buffer) => {
      const lines = (rest + slice).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#hear(documentsIn(line, "agent run")[0]!);
    });
    child.stderr!.on("data", (slice: Buffer) => {
      this.errors += slice;
    });
    // Not "close": what it started may hold its standard error.
    this.#exited = new Promise((resolve) => child.on("exit", resolve));
    void this.#exited.then(() => this.#tell());
  }

  /** The first event from `from` on that fits. Throws when the agent ends before. */
  async until(fits: (event: AgentEventJson) => boolean, from = 0): Promise<AgentEventJson> {
    for (;;) {
      const found = this.events.slice(from).find(fits);
      if (found) return found;
      if (this.#child?.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`the agent ended: ${this.errors}`);
      await new Promise<void>((resolve) => {
        const go = (): void => {
          this.#waiting.delete(go);
          resolve();
        };
        this.#waiting.add(go);
      });
    }
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    this.#child?.kill(signal);
    return this.#exited;
  }

  #hear(document: JsonDocument): void {
    if (document.type === "event" && document.command === "agent run") this.events.push(document);
    this.#tell();
  }

  #tell(): void {
    for (const go of this.#waiting) go();
  }
}
