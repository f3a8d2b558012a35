// Names on a disk that is not as Linux has them, against a small file system that behaves as such a disk does: it refuses what Windows
// refuses, and a name in other letters is the same file.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { windowsName } from "../../core/filename.ts";
import { type RawPath, rawFromBytes, rawFromText, rawToText } from "../../core/raw-path.ts";
import { DiskNames, type NameRules, type TakenNames } from "./disk-names.ts";

const WINDOWS = { ignoresCase: true, isWindows: true };
const MAC = { ignoresCase: true, isWindows: false };

/** One folder of a disk. */
class FakeFolder {
  readonly files = new Map<string, string>();
  readonly #rules: NameRules;

  constructor(rules: NameRules) {
    this.#rules = rules;
  }

  write(name: string, content: string): void {
    const { isWindows, ignoresCase } = this.#rules;
    if (
      isWindows &&
      (/[<>:"|?*\\/\u0000-\u001f]/.test(name) || /[. ]$/.test(name) || /^(con|nul|com1)(\.|$)/i.test(name))
    )
      throw new Error(`EINVAL ${name}`);
    this.files.set(ignoresCase ? name.normalize("NFC").toLowerCase() : name, content);
  }
}

/** Every name with itself as content, and what was told. */
function restored(
  names: readonly RawPath[],
  rules: NameRules,
): { contents: string[]; reasons: string[]; names: string[] } {
  const [folder, disk] = [new FakeFolder(rules), new DiskNames(rules)];
  const taken: TakenNames = new Map();
  const made = names.map((name) => disk.take(taken, name));
  for (const [i, one] of made.entries()) folder.write(rawToText(one.disk), names[i]!);
  return {
    contents: [...folder.files.values()],
    reasons: made.flatMap(({ reason }) => reason ?? []),
    names: made.map((one) => rawToText(one.disk)),
  };
}

describe("no entry is lost", () => {
  const tricky = [
    "A",
    "a",
    "b",
    "B.txt",
    "b.TXT",
    "b (2).txt",
    "B (2).TXT",
    "Straße",
    "STRASSE",
    "é",
    "e\u0301",
    "CON",
    "con.txt",
    "nul",
    "COM1.log",
    "a:b",
    "a?b",
    "dot.",
    "dot",
    "space ",
    "back\\slash",
    "%3A",
    "tab\there",
    "İ",
    "i̇",
    "ſ",
    "s",
    "K",
    "k",
  ].map(rawFromText);
  const bytes = [rawFromBytes(new Uint8Array([0x66, 0xff])), rawFromBytes(new Uint8Array([0x66, 0xfe]))];
  for (const rules of [WINDOWS, MAC]) {
    test(rules.isWindows ? "on Windows" : "where case does not count", () => {
      const names = rules.isWindows ? [...tricky, ...bytes] : tricky;
      for (const order of [names, names.toReversed()]) {
        const { contents, names: made } = restored(order, rules);
        assert.deepEqual(contents.toSorted(), order.toSorted());
        assert.deepEqual(restored(order, rules).names, made);
      }
    });
  }
});

test("the first of two that would meet keeps its name, and the other is told", () => {
  const { names, reasons } = restored(["Notes.txt", "notes.txt"] as RawPath[], MAC);
  assert.deepEqual(names, ["Notes.txt", "notes (2).txt"]);
  assert.deepEqual(reasons, ['in the snapshot it is "notes.txt", which is the same here as "Notes.txt"']);
  assert.deepEqual(restored(["aux.c", "ok"] as RawPath[], WINDOWS).names, ["%61ux.c", "ok"]);
});

test("a name that Windows can have stays as it is", () => {
  for (const name of ["a b.txt", "Größe", "%41", "..hidden", "console", "com10", "x".repeat(255), "👪"])
    assert.equal(windowsName(rawFromText(name)), name);
});

test("elsewhere every name goes as it is", () => {
  const disk = new DiskNames({ ignoresCase: false, isWindows: false });
  assert.equal(disk.areAsTheyAre, true);
  assert.deepEqual(restored(["A", "a", "CON"] as RawPath[], { ignoresCase: false, isWindows: false }).reasons, []);
});
