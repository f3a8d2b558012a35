// The beginning of a file, for a look at it: text as text whatever it means (HTML and SVG are shown, never run), pictures and PDF by what
// their first bytes say, not by their names. Nothing else gets a type that a browser would do something with.

import { type Bytes, concatBytes } from "../../../core/bytes.ts";
import { readFile } from "../../../engine/reader/file-content.ts";
import type { VaultReader } from "../../../engine/reader/reader.ts";
import type { FoundEntry } from "../../../engine/reader/tree-reader.ts";
import type { PreviewView } from "../reader-api.ts";

const TEXT_BYTES = 512 * 1024;
const PICTURE_BYTES = 48 * 2 ** 20;
const HEAD_BYTES = 256;

type Picture = { readonly kind: "image" | "pdf"; readonly mediaType: string };

export async function previewOf(reader: VaultReader, found: FoundEntry, signal: AbortSignal): Promise<PreviewView> {
  const size = found.entry.size ?? 0;
  const first = await part(reader, found, TEXT_BYTES, signal);
  const head = first.subarray(0, HEAD_BYTES).toHex();
  if (size === 0) return { kind: "none", reason: "empty", head: "" };
  const picture = pictureOf(first);
  if (picture) {
    if (size > PICTURE_BYTES) return { kind: "none", reason: "too_large", head };
    const bytes = size <= first.length ? first : await part(reader, found, size, signal);
    return { ...picture, bytes };
  }
  const text = textOf(first, size > first.length);
  if (text === undefined) return { kind: "none", reason: "binary", head };
  return { kind: "text", text, isCut: size > first.length };
}

async function part(reader: VaultReader, found: FoundEntry, end: number, signal: AbortSignal): Promise<Bytes> {
  const slices: Uint8Array[] = [];
  for await (const slice of readFile(reader, found, { signal, range: { start: 0, end } })) slices.push(slice.slice());
  return concatBytes(slices);
}

/** By the signatures of the WHATWG MIME Sniffing Standard, 6.1. */
function pictureOf(bytes: Uint8Array): Picture | undefined {
  const starts = (text: string, at = 0): boolean =>
    [...text].every((character, i) => bytes[at + i] === character.charCodeAt(0));
  const image = (mediaType: string): Picture => ({ kind: "image", mediaType });
  if (starts("\x89PNG\r\n\x1a\n")) return image("image/png");
  if (starts("\xff\xd8\xff")) return image("image/jpeg");
  if (starts("GIF87a") || starts("GIF89a")) return image("image/gif");
  if (starts("RIFF") && starts("WEBP", 8)) return image("image/webp");
  if (starts("ftypavif", 4) || starts("ftypavis", 4)) return image("image/avif");
  if (starts("BM") && bytes[14] === 40) return image("image/bmp");
  if (starts("%PDF-")) return { kind: "pdf", mediaType: "application/pdf" };
  return undefined;
}

/** Undefined when it is no text in UTF-8. */
function textOf(bytes: Uint8Array, isCut: boolean): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    // A character may be cut in two at the end.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: isCut });
  } catch {
    return undefined;
  }
}
