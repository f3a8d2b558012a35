// Nothing that is stored, logged or kept about a run tells a name or a content: canaries are planted in file names, contents,
// attributes and link targets, in plan and tag names, and in the passphrase, and everything that was written is searched for them.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setXattr } from "../../src/client/posix.ts";
import { rawFromText } from "../../src/core/raw-path.ts";
import { cli, newPlace } from "../cli/run-cli.ts";

const CANARY = "kanarienvogel";
const PASSPHRASE = `${CANARY} sings at dawn`;

test("no canary in the vault, and no secret in the output", async () => {
  const place = newPlace();
  try {
    const data = join(place.folder, `${CANARY}-folder`);
    mkdirSync(data);
    writeFileSync(join(data, `${CANARY}-name.txt`), "plain");
    writeFileSync(join(data, "content.txt"), `${CANARY} `.repeat(2000));
    writeFileSync(join(data, "short.txt"), CANARY);
    symlinkSync(`/somewhere/${CANARY}`, join(data, "link"));
    trySetXattr(join(data, "content.txt"));
    const env = { CYBERBACKUP_PASSPHRASE: PASSPHRASE };
    const options = ["--plan", `${CANARY}-plan`, "--tag", `${CANARY}-tag`, "--log-level", "debug"];
    const said = [await cli(place, ["init"], { env })];
    for (const args of [
      ["backup", data, ...options],
      ["backup", data, "--compression", "off", "--force", ...options],
      ["forget", "--keep-last", "1", "--plan", `${CANARY}-plan`],
      ["verify", "--read-data", "--log-level", "debug"],
      ["log", "--json"],
      ["doctor", "--json"],
    ]) {
      said.push(await cli(place, args, { env }));
    }
    const files = filesBelow(place.vault);
    assert.ok(files.length > 5);
    for (const file of files) {
      const bytes = readFileSync(file);
      for (const form of [CANARY, Buffer.from(CANARY, "utf16le"), CANARY.toUpperCase()]) {
        assert.ok(!bytes.includes(form), `${file} holds a canary`);
      }
    }
    const log = said.at(-2)!;
    assert.ok(!log.text.includes(CANARY), "the vault log tells a name");
    for (const { text, stderr } of said)
      assert.ok(!`${text}${stderr}`.includes(PASSPHRASE), "the passphrase was printed");
    for (const secret of secretsIn(place.home)) {
      for (const { text, stderr } of said.slice(1))
        assert.ok(!`${text}${stderr}`.includes(String(secret)), "a key was printed");
      for (const file of files) assert.ok(!readFileSync(file).includes(secret), `${file} holds a key`);
    }
  } finally {
    place.remove();
  }
});

/** Not every file system takes attributes; the test goes on without. */
function trySetXattr(path: string): void {
  try {
    setXattr(rawFromText(path), rawFromText(`user.${CANARY}`), Buffer.from(CANARY));
  } catch (error) {
    assert.match((error as { code: string }).code, /ENOTSUP|EOPNOTSUPP/);
  }
}

/** Secrets of the device file, as text and as bytes. */
function secretsIn(home: string): (string | Buffer)[] {
  const [file] = filesBelow(join(home, "devices"));
  const device = JSON.parse(readFileSync(file!, "utf8")) as { signingKey: string; writer: Record<string, string> };
  const encoded = [device.signingKey, device.writer.chunkIdKey!, device.writer.chunkerKey!, device.writer.metaKey!];
  return encoded.flatMap((text) => [text, Buffer.from(text, "base64")]);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
