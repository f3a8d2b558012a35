// There is one CRC module, one name validator and one home of ports. This test reads every source in src/ and fails when a
// second one appears. Each rule carries samples that it must find and samples that it must leave alone.
// It looks at the text, not at the syntax tree: lines that are comments only are skipped, everything else counts.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { PORTS } from "../src/core/config-schema.ts";

type Rule = {
  readonly name: string;
  /** Paths below src/, without ".ts", that may do this; their tests may as well. */
  readonly home: string;
  /** Tests have reasons to hold odd names; they have none to hold a second CRC or a port. */
  readonly inTests: boolean;
  readonly patterns: readonly RegExp[];
  readonly found: readonly string[];
  readonly leftAlone: readonly string[];
};

/** Normal, reflected and reciprocal forms of the polynomials of CRC-32 and CRC-32C. */
const POLYNOMIALS = [0x04c11db7, 0xedb88320, 0xdb710641, 0x82608edb, 0x1edc6f41, 0x82f63b78, 0x05ec76f1, 0x8f6e37a0];
const PORT_NUMBERS = Object.values(PORTS).map(({ value }) => value);

const RULES: readonly Rule[] = [
  {
    name: "a CRC",
    home: "core/checksum",
    inTests: true,
    patterns: [
      ...POLYNOMIALS.map(anySpelling),
      /\bimport\s*(type\s*)?\{[^}]*\bcrc32\b[^}]*\}\s*from\s*["'](node:)?zlib["']/,
      /\bzlib\w*\s*\.\s*crc32\b/,
      /\b(from|import|require)\s*\(?\s*["'](@[\w-]+\/)?(crc|crc-?32c?|cyclic-32|buffer-crc32|hash-wasm|sse4_crc32)([/-][^"']*)?["']/,
      /\b(const|let|var)\s+\w*crc\w*\s*(:[^=]+)?=\s*(new\s+\w*Array\s*\(\s*(256|2048|8\s*\*\s*256)\b|Array\.from\(\s*\{\s*length:\s*256\b)/i,
      /(<<|>>>?)\s*8\s*\)?\s*\^\s*[\w.#]*(crc|table)[\w.#]*!?\[/i,
      /\bfunction\s+(crc|crc32c?|cksum|posixCksum)\s*\(/i,
    ],
    found: [
      "const P = 0x04C11DB7;",
      "const P = 0x4c11db7;",
      "const P = 0x04C1_1DB7;",
      'Number.parseInt("EDB88320", 16)',
      "poly = 79764919;",
      "poly = 3_988_292_384;",
      "poly = -306674912;",
      "crc = (crc >>> 1) ^ 0x82F63B78;",
      "x = 0x1edc6f41n;",
      'import { createHash, crc32 } from "node:zlib";',
      'import {\n  constants,\n  crc32 as sum,\n} from "zlib";',
      "zlib.crc32(bytes)",
      'import crc from "crc-32";',
      'import { crc32 } from "@node-rs/crc32";',
      'const { crc32 } = require("crc/crc32");',
      "const crcTable = new Uint32Array(256);",
      "const TABLE_CRC: number[] = Array.from({ length: 256 }, make);",
      "crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!;",
      "crc = (crc << 8) ^ table[(crc >>> 24) ^ byte];",
      "function crc32(bytes: Uint8Array) {",
    ],
    leftAlone: [
      'import { cksum, crc32c } from "../core/checksum.ts";',
      'import { zstdCompressSync } from "node:zlib";',
      "// POSIX polynomial 04C11DB7, see core/checksum.ts",
      "const crc = reader.u32();",
      "hash = ((hash << 1) + gear[byte]!) | 0;",
      "function readCksum(reader: ByteReader) {",
      '"edb883201122334455"',
    ],
  },
  {
    name: "a name validator",
    home: "core/filename",
    inTests: false,
    patterns: [
      /\b(CON|PRN|AUX|NUL)\b["'`)]*\s*[|,]\s*[("'`]*(CON|PRN|AUX|NUL)\b/i,
      /\b(COM|LPT)(\[[01]-9|\\d|[1-9]["'`])/,
      /[\u2044\u2215\uff0f\uff3c\u29f8]|\\u\{?0*(2044|2215|ff0f|ff3c|29f8)\b/i,
      /[!=]==?\s*["'`]\.\.["'`]|["'`]\.\.["'`]\s*[!=]==?/,
      /\bfunction\s+(is)?(sanitis|sanitiz|validat|check|safe)e?\w*(File|Entry|Path|Name)\w*\s*\(\s*(name|path|file)/i,
    ],
    found: [
      "/^(CON|PRN|AUX|NUL)$/i",
      '["con", "prn", "aux"]',
      "/^(com[0-9]|LPT[1-9])/",
      'new Set(["COM1", "COM2"])',
      'name.includes("\\u2215")',
      'name.includes("\u2044")',
      'if (part === "." || part === "..") return;',
      "function sanitizeFilename(name: string) {",
      "export function isSafePath(path: string) {",
    ],
    leftAlone: [
      'import { isPlainComponent } from "../core/filename.ts";',
      'path.startsWith("..")',
      'join(folder, "..")',
      "const aux = 1;",
      "sanitiseName(name)",
      "// CON, PRN and AUX are reserved",
    ],
  },
  {
    name: "a port",
    home: "core/config-schema",
    inTests: true,
    patterns: [
      ...PORT_NUMBERS.map(anySpelling),
      /\.listen\(\s*[1-9]/,
      /\bport\s*[:=]\s*[1-9]/i,
      /\b(https?|wss?|tcp):\/\/[\w.[\]:-]+:[1-9]\d*/,
    ],
    found: [
      "const GATEWAY = 1256;",
      "const PAGE = 9091;",
      "[587, 465].includes(other)",
      "server.listen(9_090);",
      'url = "https://host:9443/";',
      "server.listen(8080)",
      "{ port: 8443 }",
      "const port = 3000;",
      "fetch(`http://127.0.0.1:8080/x`)",
      "0x4e8",
    ],
    leftAlone: [
      "server.listen(0)",
      "{ port: PORTS.gateway.value }",
      "const x = 12560;",
      '"a1256f"',
      "// port 1256 by default",
      'new URL("http://host/")',
    ],
  },
];

/** A number as hex, as decimal, or as the negative that `| 0` makes of it; never inside a longer word. */
function anySpelling(value: number): RegExp {
  // Four hex digits without 0x could be anything; eight of them are no accident.
  const prefix = value < 2 ** 16 ? "0x" : "(?:0x)?";
  const spellings = [`${prefix}0*${value.toString(16)}n?`, `${value}n?`, String(value - 2 ** 32)];
  return new RegExp(`(?<![\\w.])(?:${spellings.join("|")})(?!\\w)`, "i");
}

function findings(rule: Rule, source: string): string[] {
  const code = source.replace(/^\s*(\/\/|\/?\*).*$/gm, "").replace(/(?<=[0-9a-f])_(?=[0-9a-f])/gi, "");
  return rule.patterns.flatMap((pattern) => pattern.exec(code)?.[0] ?? []);
}

function applies(rule: Rule, path: string): boolean {
  const module = path.replace(/(\.test)?\.[cm]?[jt]sx?$/, "");
  return module !== rule.home && (rule.inTests || !path.includes(".test."));
}

const SRC = new URL("../src/", import.meta.url);
const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => /\.[cm]?[jt]sx?$/.test(path));

for (const rule of RULES) {
  describe(`${rule.name} lives in ${rule.home} alone`, () => {
    test("no other source has one", () => {
      const found = sources
        .filter((path) => applies(rule, path))
        .flatMap((path) =>
          findings(rule, readFileSync(new URL(path, SRC), "utf8")).map((what) => `src/${path}: ${what}`),
        );
      assert.deepEqual(found, [], `Use src/${rule.home}.ts instead.`);
    });

    test("the rule finds what it is for, in its home too", () => {
      const home = readFileSync(new URL(`${rule.home}.ts`, SRC), "utf8");
      assert.notDeepEqual(findings(rule, home), []);
      for (const sample of rule.found) assert.notDeepEqual(findings(rule, sample), [], sample);
    });

    test("the rule leaves honest code alone", () => {
      for (const sample of rule.leftAlone) assert.deepEqual(findings(rule, sample), [], sample);
    });

    test("every shape that it looks for is proven by a sample", () => {
      const shapes = rule.patterns.filter(
        ({ source }) => !POLYNOMIALS.some((value) => anySpelling(value).source === source),
      );
      for (const pattern of shapes) {
        const proof = rule.found.some((sample) => findings({ ...rule, patterns: [pattern] }, sample).length > 0);
        assert.ok(proof, String(pattern));
      }
    });
  });
}

test("the walk sees the sources, and exempts a home with its test and nothing else", () => {
  assert.ok(sources.includes("core/checksum.ts") && sources.includes("core/checksum.test.ts"));
  const [crc, name] = RULES as [Rule, Rule];
  assert.deepEqual(
    ["core/checksum.ts", "core/checksum.test.ts", "wire/v3/checksum.ts", "core/checksums.ts"].map((path) =>
      applies(crc, path),
    ),
    [false, false, true, true],
  );
  assert.deepEqual([applies(name, "client/restore.ts"), applies(name, "client/restore.test.ts")], [true, false]);
});
