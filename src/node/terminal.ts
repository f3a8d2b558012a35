// What a stream can show. Colours and live displays are for terminals; a pipe or a file gets plain lines.
// Sources: no-color.org; TERM=dumb as in terminfo(5).

import type { Writable } from "node:stream";

export type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export type When = "auto" | "always" | "never";

type Env = Readonly<Record<string, string | undefined>>;

const DEFAULT_COLUMNS = 80;

export function isTerminal(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true;
}

export function columnsOf(stream: TerminalStream): number {
  return stream.columns || DEFAULT_COLUMNS;
}

/** "always" is an order; otherwise NO_COLOR and dumb terminals are respected. */
export function wantsColour(when: When, stream: TerminalStream, env: Env): boolean {
  if (when !== "auto") return when === "always";
  return isTerminal(stream) && !env.NO_COLOR && env.TERM !== "dumb";
}

/** Whether lines that are drawn over each other make sense there. */
export function wantsLiveDisplay(when: When, stream: TerminalStream, env: Env): boolean {
  if (when !== "auto") return when === "always";
  return isTerminal(stream) && env.TERM !== "dumb";
}

/** Keeps a reader that went away (`| head`) from ending the program; `onClosed` hears of it once. */
export function toleratePipeClosing(stream: Writable, onClosed: () => void): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") throw error;
    onClosed();
  });
}
