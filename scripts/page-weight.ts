// How much JavaScript a browser loads for a page before the engine is needed: the entry, what it imports, and the page's own chunks,
// from the bundler's manifest. What is behind a further dynamic import or in a worker is not loaded then.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

type Chunk = {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
};

/** The heaviest of all pages: gzipped bytes of scripts. */
export function heaviestPage(folder: string): { heaviestBytes: number; page: string } {
  const manifest = JSON.parse(readFileSync(join(folder, ".vite", "manifest.json"), "utf8")) as Record<string, Chunk>;
  const entry = Object.keys(manifest).find((name) => manifest[name]!.isEntry);
  if (entry === undefined) throw new Error("The bundle has no entry.");
  const sizes = new Map<string, number>();
  const sizeOf = (file: string): number => {
    let size = sizes.get(file);
    if (size === undefined) {
      size = file.endsWith(".js") ? gzipSync(readFileSync(join(folder, file)), { level: 9 }).length : 0;
      sizes.set(file, size);
    }
    return size;
  };
  const first = reach(manifest, [entry]);
  let heaviest = { heaviestBytes: -1, page: "" };
  for (const page of manifest[entry]!.dynamicImports ?? [entry]) {
    const names = reach(manifest, [page], new Set(first));
    const bytes = [...names].reduce((sum, name) => sum + sizeOf(manifest[name]!.file), 0);
    if (bytes > heaviest.heaviestBytes) heaviest = { heaviestBytes: bytes, page };
  }
  return heaviest;
}

function reach(manifest: Record<string, Chunk>, names: readonly string[], seen = new Set<string>()): Set<string> {
  for (const name of names) {
    if (seen.has(name)) continue;
    seen.add(name);
    reach(manifest, manifest[name]?.imports ?? [], seen);
  }
  return seen;
}
