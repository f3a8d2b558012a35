// What commands say, and to whom. Results go to standard output: text for people, or JSON for programs (json-schema.ts).
// Remarks and problems go to standard error. `--quiet` leaves results that were asked for, problems and errors.
// Nothing here colours or escapes by itself: callers use `paint` and shownPath.

import { toleratePipeClosing, type When, wantsColour } from "../node/terminal.ts";
import type { Host } from "./host.ts";
import type { JsonDocument } from "./json-schema.ts";
import { type Paint, paint } from "./paint.ts";

const FLUSH_CHARACTERS = 32 * 1024;

export class Output {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  /** For what goes to standard output. */
  paint: Paint;
  /** For what goes to standard error. */
  errorPaint: Paint;
  readonly #host: Pick<Host, "stdout" | "stderr" | "env">;
  #pending = "";
  #isClosed = false;
  #isForData = false;
  #beforeError: (() => void) | undefined;

  constructor(host: Pick<Host, "stdout" | "stderr" | "env">, modes: { isJson: boolean; isQuiet: boolean }) {
    this.isJson = modes.isJson;
    this.isQuiet = modes.isQuiet;
    this.#host = host;
    this.paint = this.errorPaint = paint(false);
    this.useColour("auto");
    toleratePipeClosing(host.stdout, () => {
      this.#isClosed = true;
    });
    toleratePipeClosing(host.stderr, () => undefined);
  }

  /** True once nobody reads standard output any more: work that only prints may end. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  useColour(when: When): void {
    this.paint = paint(wantsColour(when, this.#host.stdout, this.#host.env));
    this.errorPaint = paint(wantsColour(when, this.#host.stderr, this.#host.env));
  }

  /** What was asked for: said even when quiet. */
  print(line: string): void {
    if (!this.isJson) this.#write(`${line}\n`);
  }

  /** How it went: only said to people who did not ask for quiet. */
  say(line: string): void {
    if (!this.isQuiet) this.print(line);
  }

  /** A remark beside the result. */
  note(line: string): void {
    if (!this.isQuiet && !this.isJson) this.#writeError(`${line}\n`);
  }

  /** A problem that does not end the work; JSON carries it in its own fields. */
  warn(line: string): void {
    if (!this.isJson) this.#writeError(`${this.errorPaint.yellow("warning:")} ${line}\n`);
  }

  /** One JSON document on a line of its own; nothing unless `--json`. */
  json(document: JsonDocument): void {
    if (!this.isJson) return;
    const line = `${JSON.stringify(document)}\n`;
    if (this.#isForData) this.#writeError(line);
    else this.#write(line);
  }

  /** From now on standard output is for a file's own bytes, so that JSON goes beside them. */
  reserveForData(): void {
    this.#isForData = true;
  }

  /** The last words of a run that failed. */
  failure(lines: string): void {
    this.#writeError(`${lines}\n`);
  }

  /** Raw bytes to standard output; resolves when they are taken, so that memory stays flat. */
  async bytes(slice: Uint8Array): Promise<void> {
    this.flush();
    const { stdout } = this.#host;
    if (this.#isClosed || stdout.write(slice)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stdout.off("drain", done).off("error", done).off("close", done);
        resolve();
      };
      stdout.on("drain", done).on("error", done).on("close", done);
    });
  }

  flush(): void {
    if (this.#pending !== "" && !this.#isClosed) this.#host.stdout.write(this.#pending);
    this.#pending = "";
  }

  /** A live display clears itself by this before a line is written past it. */
  set beforeError(hook: (() => void) | undefined) {
    this.#beforeError = hook;
  }

  #write(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= FLUSH_CHARACTERS) this.flush();
  }

  #writeError(text: string): void {
    this.flush();
    this.#beforeError?.();
    this.#host.stderr.write(text);
  }
}
