// Colours for people. Without colour every function gives its text back unchanged, so that callers need not ask.

import { styleText } from "node:util";

export type Paint = Readonly<Record<"bold" | "dim" | "red" | "green" | "yellow" | "cyan", (text: string) => string>>;

export function paint(isColoured: boolean): Paint {
  const style = (format: keyof Paint) => (text: string) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: style("bold"),
    dim: style("dim"),
    red: style("red"),
    green: style("green"),
    yellow: style("yellow"),
    cyan: style("cyan"),
  };
}
