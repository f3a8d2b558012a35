// An id from its first characters.

import { AppError } from "../core/errors.ts";
import { shownText } from "./shown-path.ts";

/** The one id that starts with `prefix`. Throws `not_found` or `ambiguous_id`. */
export function findById<Id extends string>(ids: readonly Id[], prefix: string, what: string): Id {
  const fitting = prefix === "" ? [] : ids.filter((id) => id.startsWith(prefix.toLowerCase()));
  if (fitting.length === 1) return fitting[0]!;
  const id = shownText(prefix);
  if (fitting.length > 1) throw new AppError("ambiguous_id", { context: { id, what } });
  throw new AppError("not_found", { context: { what: `The ${what} ${id}` } });
}
