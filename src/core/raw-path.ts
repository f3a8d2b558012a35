// File names as the file system gives them are bytes, not text. Inside the program a raw name or path is a string with one
// character (U+0000-U+00FF) for each byte ("binary string"): it sorts in byte order, works as a map key, and loses nothing.
// Only what is shown to people is decoded, by `rawToText`.

import { type Bytes, utf8 } from "./bytes.ts";

declare const brand: unique symbol;
export type RawPath = string & { readonly [brand]: "RawPath" };

const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
const ASCII = /^[\x00-\x7f]*$/;

export function rawFromText(text: string): RawPath {
  return (ASCII.test(text) ? text : rawFromBytes(utf8(text))) as RawPath;
}

/** Text for people; bytes that are not UTF-8 show as U+FFFD. */
export function rawToText(raw: RawPath): string {
  return ASCII.test(raw) ? raw : lossy.decode(rawToBytes(raw));
}

export function rawFromBytes(bytes: Uint8Array): RawPath {
  return rawSlice(bytes, 0, bytes.length);
}

/** The raw string of bytes[start, end), end exclusive. */
export function rawSlice(bytes: Uint8Array, start: number, end: number): RawPath {
  let out = "";
  for (let at = start; at < end; at += 4096) {
    out += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(end, at + 4096)) as unknown as number[]);
  }
  return out as RawPath;
}

export function rawToBytes(raw: RawPath): Bytes {
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

/** `parent` + "/" + `name`, without doubling the slash of the root. */
export function rawJoin(parent: RawPath, name: RawPath): RawPath {
  return (parent === "" || parent.endsWith("/") ? parent + name : `${parent}/${name}`) as RawPath;
}
