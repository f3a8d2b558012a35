import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import { utf8 } from "./bytes.ts";
import { AppError } from "./errors.ts";
import {
  checkLabel,
  checkName,
  checkRelativePath,
  isPlainComponent,
  type NameProblemKind,
  printableName,
  requireSafeName,
  requireSafeRelativePath,
  sanitiseName,
} from "./filename.ts";
import { rawFromBytes, rawFromText } from "./raw-path.ts";

/** Strings that are mostly made of what goes wrong. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(".", "..", "/", "\\", "\0", " ", "%", "~", "CON", "aux", "com1", "LPT\u00b2", "\u202e", "\u200b"),
      fc.constantFrom(
        "\ud800",
        "\udc00",
        "\u0301",
        "\u0338",
        "e",
        "A",
        "<",
        "\uff0f",
        "\u2025",
        "\u2024",
        "\u3000",
        "😀",
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.constantFrom("é".repeat(90), "x".repeat(120), "<".repeat(40)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

const GOOD = [
  "a",
  "hello.txt",
  ".profile",
  "…a",
  "two words",
  "naïve",
  "日本語",
  "ノート",
  "CONSOLE",
  "com10",
  "COM",
  "nul1",
  "a.con",
  "50%",
  "-x",
  "❤️",
  "a~1",
];

const BAD: Record<NameProblemKind, string[]> = {
  empty: [""],
  too_long: ["x".repeat(256), "é".repeat(128), "x".repeat(1_000_000)],
  traversal: [".", "..", "\u2025", "\u2024\u2024", "\uff0e", "\ufe52."],
  absolute: [],
  separator: ["a/b", "/", "a\\b", "..\\x"],
  lookalike_separator: [..."⁄∕／＼﹨⧸∖⧵⧹╱╲⟋⟍"].map((c) => `a${c}b`),
  control: ["a\0", "\n", "a\x1b[2J", "\x7f", "\x85", "a\u2028b"],
  bidi_control: [..."\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"].map(
    (c) => `a${c}gpj.exe`,
  ),
  invisible: ["a\u200bb", "a\u200db", "\ufeffa", "a\u00ad", "a\u2060", "\u3164", "a\u{e0041}"],
  forbidden: ["a:b", "C:", "what?", "*", "a<b", 'a"b', "a|b", "x:stream"],
  surrogate: ["\ud800", "a\udfff", "\udc00\ud800"],
  reserved: [
    "CON",
    "con",
    "PRN",
    "Aux",
    "NUL",
    "nul.txt",
    "COM0",
    "COM1.tar.gz",
    "LPT9",
    "COM¹",
    "lpt².txt",
    "COM³",
    "CONIN$",
    "conout$",
    "aux .txt",
    "CON.",
  ],
  edge: [" a", "a ", "a.", "a..", "...", "\u3000a", "a\u00a0"],
  not_nfc: ["e\u0301", "\u212b"],
};

describe("checkName", () => {
  for (const name of GOOD) test(`accepts ${printableName(name)}`, () => assert.equal(checkName(name), undefined));

  for (const [kind, names] of Object.entries(BAD)) {
    test(`finds ${kind}`, () => {
      for (const name of names) assert.equal(checkName(name)?.kind, kind, printableName(name));
    });
  }

  test("accepts only what is a plain component too", () => {
    fc.assert(fc.property(nasty, (name) => checkName(name) !== undefined || isPlainComponent(rawFromText(name))));
  });

  test("says what is wrong without repeating what is unsafe to print", () => {
    assert.equal(checkName("a\u202eb")?.detail, "It contains a text direction control (U+202E).");
    assert.throws(
      () => requireSafeName("a\x1b[2J"),
      (error) =>
        error instanceof AppError && error.code === "filename_invalid" && error.message.includes('"a\\u{1b}[2J"'),
    );
    assert.equal(requireSafeName("a.txt"), "a.txt");
  });
});

describe("sanitiseName", () => {
  for (const [name, expected] of [
    ["a.txt", "a.txt"],
    ["", "unnamed"],
    [".", "%2E"],
    ["..", "%2E%2E"],
    ["../../etc/passwd", "..%2F..%2Fetc%2Fpasswd"],
    ["CON", "%43ON"],
    ["nul.txt", "%6Eul.txt"],
    [" a ", "%20a%20"],
    ["a\u202eb", "a%E2%80%AEb"],
    ["a\ud800", "a%uD800"],
    ["e\u0301", "é"],
    ["/\u0301", "%2F\u0301"],
    ["\u009a\u0301", "%C2%9Á"],
  ] as const) {
    test(`makes ${expected} of ${printableName(name)}`, () => assert.equal(sanitiseName(name), expected));
  }

  test("gives a name that passes, and leaves it alone the second time", () => {
    fc.assert(
      fc.property(nasty, (name) => {
        const safe = sanitiseName(name);
        assert.equal(checkName(safe), undefined, JSON.stringify([name, safe]));
        assert.equal(sanitiseName(safe), safe);
      }),
      { numRuns: 2000 },
    );
  });

  test("keeps the extension of a long name and tells two long names apart", () => {
    const [a, b] = [sanitiseName(`${"x".repeat(300)}1.jpeg`), sanitiseName(`${"x".repeat(300)}2.jpeg`)];
    assert.match(a, /^x+~[0-9A-F]{8}\.jpeg$/);
    assert.equal(utf8(a).length, 255);
    assert.notEqual(a, b);
  });
});

describe("checkRelativePath", () => {
  test("accepts relative paths of good names", () => {
    assert.equal(checkRelativePath(GOOD.join("/")), undefined);
    assert.equal(requireSafeRelativePath("a/b.txt"), "a/b.txt");
  });

  for (const [path, kind] of [
    ["", "empty"],
    ["/etc", "absolute"],
    ["a//b", "empty"],
    ["a/", "empty"],
    ["a/../b", "traversal"],
    ["./a", "traversal"],
    ["a\\..\\b", "separator"],
    ["C:/x", "forbidden"],
    ["a/NUL/b", "reserved"],
    [`${"a/".repeat(2048)}a`, "too_long"],
  ] as const) {
    test(`finds ${kind} in ${printableName(path)}`, () => {
      assert.equal(checkRelativePath(path)?.kind, kind);
      assert.throws(() => requireSafeRelativePath(path), AppError);
    });
  }

  test("accepts a path exactly when it accepts each of its components", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(nasty, fc.constantFrom(...GOOD)), { minLength: 1, maxLength: 4 }), (names) => {
        const parts = names.flatMap((name) => name.split("/"));
        const path = parts.join("/");
        fc.pre(utf8(path).length <= 4096);
        assert.equal(
          checkRelativePath(path) === undefined,
          parts.every((part) => checkName(part) === undefined),
        );
      }),
    );
  });
});

describe("isPlainComponent", () => {
  test("lets everything through that a POSIX file system can hold", () => {
    for (const name of ["a", "...", "..a", " ", "CON", "a\\b", "a\nb", "\u202e", "x".repeat(255)]) {
      assert.equal(isPlainComponent(rawFromText(name)), true, printableName(name));
    }
    assert.equal(isPlainComponent(Uint8Array.of(0xff, 0xfe, 0x80)), true);
  });

  test("refuses what is not one entry of a folder", () => {
    for (const name of ["", ".", "..", "/", "a/b", "../a", "a\0", "x".repeat(256), "é".repeat(128)]) {
      assert.equal(isPlainComponent(rawFromText(name)), false, printableName(name));
      assert.equal(isPlainComponent(utf8(name)), false, printableName(name));
    }
  });

  test("says the same of raw names and of their bytes", () => {
    const name = fc.oneof(
      nasty.map(utf8),
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 3, max: 0x30 }),
    );
    fc.assert(fc.property(name, (bytes) => isPlainComponent(rawFromBytes(bytes)) === isPlainComponent(bytes)));
  });

  test("counts bytes, up to the limit of the caller", () => {
    const long = Uint8Array.from({ length: 255 }, () => 0xe9);
    assert.deepEqual([isPlainComponent(long), isPlainComponent(rawFromBytes(long))], [true, true]);
    assert.deepEqual([isPlainComponent(long, 254), isPlainComponent(rawFromBytes(long), 254)], [false, false]);
    assert.equal(isPlainComponent(rawFromText("日".repeat(255)), 4096), true);
  });
});

describe("printableName", () => {
  test("never holds a character that could move or hide text", () => {
    fc.assert(
      fc.property(
        nasty,
        (name) => !/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b]/u.test(printableName(name)),
      ),
    );
  });

  test("is cut when the name is long", () => {
    assert.equal(printableName("x".repeat(1000)), `"${"x".repeat(80)}…"`);
  });
});

describe("labels", () => {
  test("are any text of one line that is no longer than allowed", () => {
    for (const text of ["alice", "a/b", "..", "CON", " x ", "50%", "日本語", "x".repeat(100), "é".repeat(50)]) {
      assert.equal(checkLabel(text, 100), undefined, text);
    }
  });

  test("hide nothing from whoever reads them", () => {
    const bad: [string, NameProblemKind][] = [
      ["", "empty"],
      ["x".repeat(101), "too_long"],
      ["é".repeat(51), "too_long"],
      ["a\nb", "control"],
      ["a\u0000", "control"],
      ["a\u202eb", "bidi_control"],
      ["a\u200bb", "invisible"],
      ["\ud800", "surrogate"],
    ];
    for (const [text, kind] of bad) assert.equal(checkLabel(text, 100)?.kind, kind, JSON.stringify(text));
  });
});
