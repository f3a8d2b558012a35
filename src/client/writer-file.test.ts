import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../tests/fast-check.ts";
import { isAppError } from "../core/errors.ts";
import type { VaultId } from "../core/ids.ts";
import type { DeviceFile } from "../crypto/device-file.ts";
import { generateDeviceKey } from "../crypto/signature.ts";
import { decodeWriterFile, encodeWriterFile } from "./writer-file.ts";

const { pkcs8, device } = await generateDeviceKey();
const FILE: DeviceFile = {
  vault: "0a".repeat(16) as VaultId,
  device,
  name: "büro",
  signingKey: pkcs8,
  writer: {
    chunkIdKey: new Uint8Array(32).fill(1),
    chunkerKey: new Uint8Array(16).fill(2),
    metaKey: new Uint8Array(32).fill(3),
    recipient: `age1pq1${Array.from({ length: 400 }, (_, i) => (i * i * 7919).toString(36)).join("")}`,
  },
};
const TEXT = encodeWriterFile(FILE);

/** The base64 part in other lines. */
function rewrap(text: string, characters: number): string {
  const lines = text.trim().split("\n");
  const body = lines.slice(1, -2).join("");
  return [lines[0], ...body.match(new RegExp(`.{1,${characters}}`, "g"))!, ...lines.slice(-2)].join("\n");
}

const refused = (text: string) =>
  assert.rejects(decodeWriterFile(text), (error) => {
    assert.ok(isAppError(error, "writer_file_invalid"), String(error));
    assert.ok(!error.message.includes(pkcs8.toBase64().slice(30)));
    return true;
  });

describe("a writer file", () => {
  test("is armored text with lines of at most 64 characters, and comes back as it was", async () => {
    assert.match(
      TEXT,
      /^-----BEGIN CYBERBACKUP WRITER-----\n([\w+/]{64}\n)+[\w+/]*={0,2}\n=[0-9a-f]{8}\n-----END CYBERBACKUP WRITER-----\n$/,
    );
    assert.deepEqual(await decodeWriterFile(TEXT), FILE);
  });

  test("survives what mail and editors do to it", async () => {
    for (const mangled of [
      TEXT.replaceAll("\n", "\r\n"),
      TEXT.replaceAll("\n", "\r"),
      TEXT.trim(),
      `\ufeff\n\n  Here it is:\n\n${TEXT}\n-- \nAnn`,
      TEXT.replace(/^/gm, "    ").replaceAll("\n", "  \n"),
      TEXT.replaceAll("\n", "\n\n"),
      rewrap(TEXT, 20),
    ]) {
      assert.deepEqual(await decodeWriterFile(mangled), FILE, mangled);
    }
  });

  test("is refused when any character of it is another, or a line is missing, doubled or swapped", async () => {
    const lines = TEXT.trim().split("\n");
    await fc.assert(
      fc.asyncProperty(
        fc.nat(TEXT.trim().length - 1),
        fc.constantFrom("A", "z", "0", "=", "-", "!"),
        async (at, by) => {
          const other = TEXT.slice(0, at) + by + TEXT.slice(at + 1);
          if (TEXT[at] !== by && TEXT[at] !== "\n") await refused(other);
        },
      ),
      { numRuns: 300 },
    );
    for (let i = 0; i < lines.length; i++) {
      await refused(lines.toSpliced(i, 1).join("\n"));
      if (i > 0 && i < lines.length - 1) await refused(lines.toSpliced(i, 0, lines[i]!).join("\n"));
      if (i > 1) await refused(lines.toSpliced(i - 1, 2, lines[i]!, lines[i - 1]!).join("\n"));
    }
  });

  test("is refused when it is something else", async () => {
    for (const text of ["", "{}", TEXT.slice(0, 400), "x".repeat(100_000), TEXT.replaceAll("WRITER", "READER")])
      await refused(text);
  });
});
