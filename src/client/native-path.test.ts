// Paths of Windows, judged on any system by path.win32.

import assert from "node:assert/strict";
import { win32 } from "node:path";
import { test } from "node:test";
import { type RawPath, rawFromText } from "../core/raw-path.ts";
import { rawFromNative, windowsPath } from "./native-path.ts";

const fromWindows = (path: string): string => rawFromNative(win32.resolve(path), "win32");

test("drives and shares have a place in a snapshot, whichever way they are written", () => {
  assert.equal(fromWindows("C:\\Users\\ann\\x.txt"), "/C/Users/ann/x.txt");
  assert.equal(fromWindows("d:/data/"), "/D/data");
  assert.equal(fromWindows("C:\\"), "/C");
  assert.equal(fromWindows("C:\\a\\..\\b"), "/C/b");
  assert.equal(fromWindows("\\\\?\\C:\\Users\\ann"), "/C/Users/ann");
  assert.equal(fromWindows("\\\\nas\\backups\\ann"), "/UNC/nas/backups/ann");
  assert.equal(rawFromNative("\\\\?\\UNC\\nas\\backups\\ann", "win32"), "/UNC/nas/backups/ann");
  assert.equal(fromWindows("C:\\Größe"), rawFromText("/C/Größe"));
  assert.equal(rawFromNative("/home/a\\b", "posix"), "/home/a\\b");
});

test("the way back is one that may be longer than 260 characters, and that means nothing but itself", () => {
  assert.equal(windowsPath("/C/Users/ann" as RawPath), "\\\\?\\C:\\Users\\ann");
  assert.equal(windowsPath("/C" as RawPath), "\\\\?\\C:\\");
  assert.equal(windowsPath("/UNC/nas/backups/ann" as RawPath), "\\\\?\\UNC\\nas\\backups\\ann");
  assert.equal(windowsPath("/C/tmp/back/D/x" as RawPath), "\\\\?\\C:\\tmp\\back\\D\\x");
  const long = `C:\\${"folder name\\".repeat(40)}x`;
  assert.equal(windowsPath(rawFromNative(long, "win32")), `\\\\?\\${long}`);
  assert.equal(windowsPath(rawFromNative("C:\\Größe", "win32")), "\\\\?\\C:\\Größe");
});

test("every path that Windows resolves comes back as the same place", () => {
  for (const path of ["C:\\a b\\c", "Z:\\", "\\\\srv\\share\\d\\e.txt", "c:\\x"]) {
    const native = windowsPath(rawFromNative(win32.resolve(path), "win32"));
    assert.equal(win32.toNamespacedPath(win32.resolve(path)).toLowerCase(), native.toLowerCase());
  }
});

test("what only leads to drives is never a path that is relative", () => {
  for (const path of ["/", "/UNC", "/UNC/nas", "/nothing/here"])
    assert.match(windowsPath(path as RawPath), /^\\\\\?\\[A-Z]:\\$/);
});
