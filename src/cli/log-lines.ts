// Lines of log files for people: the newest ones of a file, and what is added to it from then on, through rotation. Lines of JSON become
// words; what else a file holds is shown as it is, made safe for a terminal.

import { type FileHandle, open, stat } from "node:fs/promises";
import { formatTime } from "./format-time.ts";
import { shownText } from "./shown-path.ts";

const SLICE_BYTES = 64 * 1024;
/** Of a record, what is shown by itself or says nothing to people. */
const HIDDEN = new Set(["time", "level", "message", "pid"]);

/** The last `count` lines, and where the file ended. A last line without its end waits for it. */
export async function lastLines(path: string, count: number): Promise<{ lines: string[]; end: number }> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    let start = size;
    let text = Buffer.alloc(0);
    while (start > 0 && countBreaks(text) <= count) {
      const length = Math.min(SLICE_BYTES, start);
      start -= length;
      text = Buffer.concat([await readAt(file, start, length), text]);
    }
    const whole = text.subarray(0, text.lastIndexOf(10) + 1);
    const lines = whole.toString().split("\n").slice(0, -1);
    return { lines: count === 0 ? [] : lines.slice(-count), end: size - (text.length - whole.length) };
  } finally {
    await file.close();
  }
}

/** Whole lines that were added since `from`; a file that has become shorter is read anew. */
export async function addedLines(path: string, from: number): Promise<{ lines: string[]; end: number }> {
  const { size } = await stat(path);
  const start = size < from ? 0 : from;
  if (size === start) return { lines: [], end: start };
  const file = await open(path, "r");
  try {
    const text = await readAt(file, start, Math.min(size - start, 16 * SLICE_BYTES));
    const end = text.lastIndexOf(10) + 1;
    return { lines: text.subarray(0, end).toString().split("\n").slice(0, -1), end: start + end };
  } finally {
    await file.close();
  }
}

/** `2026-11-23 03:20:57  warn   words  name=value`. */
export function shownLine(line: string): string {
  const record = recordIn(line);
  if (record === undefined) return shownText(line);
  const { time, level, message } = record;
  const fields = Object.entries(record).flatMap(([name, value]) =>
    HIDDEN.has(name) ? [] : [`${name}=${typeof value === "object" ? JSON.stringify(value) : String(value)}`],
  );
  const words = [formatTime(Date.parse(String(time))), String(level).padEnd(5), String(message), ...fields];
  return words.map(shownText).join("  ");
}

function recordIn(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const record = JSON.parse(line) as Record<string, unknown>;
    return "message" in record ? record : undefined;
  } catch {
    return undefined;
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}

function countBreaks(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}
