// A part of a snapshot as a zip stream: for people on systems without tar. A zip holds names, contents, times to two seconds and simple
// modes of files and folders; links, devices, owners and attributes are left out.

import { makeZip } from "client-zip";
import { rawToBytes, rawToText } from "../../core/raw-path.ts";
import { ENTRY } from "../../wire/v4/tree-types.ts";
import type { VaultReader } from "../reader/reader.ts";
import type { FoundEntry } from "../reader/tree-reader.ts";
import { type DumpOptions, dumpedContent, dumpSteps } from "./steps.ts";

/** The first and last time that a zip can hold. */
const TIMES = { first: Date.UTC(1980, 0, 2), last: Date.UTC(2107, 11, 30) } as const;

/** Files and folders at and below each of `starts`. Throws what reading throws. */
export async function* dumpZip(
  reader: VaultReader,
  starts: FoundEntry | readonly FoundEntry[],
  options: DumpOptions = {},
): AsyncGenerator<Uint8Array> {
  const stream = makeZip(zipEntries(reader, starts, options)).getReader();
  try {
    for (;;) {
      const { done, value } = await stream.read();
      if (done) return;
      yield value;
    }
  } finally {
    await stream.cancel().catch(() => undefined);
  }
}

async function* zipEntries(reader: VaultReader, starts: FoundEntry | readonly FoundEntry[], options: DumpOptions) {
  for await (const { name, ...found } of dumpSteps(reader, starts, options)) {
    const { entry } = found;
    const about = { lastModified: dosTime(entry.mtimeSeconds), mode: entry.mode & 0o777 };
    if (entry.type === ENTRY.directory) yield { ...about, name: `${rawToText(name)}/` };
    else if (entry.type === ENTRY.file) {
      // client-zip marks names in bytes as UTF-8 only if they are.
      yield { ...about, name: rawToBytes(name), input: dumpedContent(reader, found, options), size: entry.size ?? 0 };
    } else options.onSkip?.(found);
  }
}

function dosTime(seconds: number): Date {
  return new Date(Math.min(TIMES.last, Math.max(TIMES.first, seconds * 1000)));
}
