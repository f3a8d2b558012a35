// Aligned tables for people. No lines, two spaces between columns, nothing behind the last one.

import { textWidth } from "./text-width.ts";

export type Column = { readonly title: string; readonly align?: "left" | "right" };

const GAP = "  ";

/** One line each for the titles and the rows. Cells must be printable (shownPath) and may hold colours. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  styleTitle: (text: string) => string = (text) => text,
): string[] {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => textWidth(cells[index] ?? ""))));
  return lines.map((cells, row) => {
    const padded = columns.map(({ align }, index) => pad(cells[index] ?? "", widths[index]!, align));
    const line = padded.join(GAP).trimEnd();
    return row === 0 ? styleTitle(line) : line;
  });
}

function pad(text: string, width: number, align: Column["align"]): string {
  const space = " ".repeat(width - textWidth(text));
  return align === "right" ? space + text : text + space;
}
