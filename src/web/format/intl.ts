// Formatters of the browser, each made once: making one takes longer than a hundred uses of it, and lists format thousands of values.

import type { Locale } from "./numbers.ts";

type Made<Options> = { readonly name: string; new (locale: Locale, options: Options): unknown };

const made = new Map<unknown, unknown>();

/** `kind` is a class of `Intl`. */
export function formatter<Options, Kind extends Made<Options>>(
  kind: Kind & Made<Options>,
  locale: Locale,
  options: Options,
): InstanceType<Kind> {
  const key = `${kind.name} ${locale} ${JSON.stringify(options)}`;
  const known = made.get(key) ?? new kind(locale, options);
  made.set(key, known);
  return known as InstanceType<Kind>;
}
