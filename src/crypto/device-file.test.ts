import assert from "node:assert/strict";
import { test } from "node:test";
import { VAULT } from "../../tests/samples.ts";
import { systemRandom } from "../core/clock.ts";
import { type DeviceFile, decodeDeviceFile, encodeDeviceFile } from "./device-file.ts";
import { generateSecrets } from "./secrets.ts";
import { generateDeviceKey } from "./signature.ts";

const { pkcs8, device } = await generateDeviceKey();
const { writer } = await generateSecrets(systemRandom);
const file: DeviceFile = { vault: VAULT, device, name: "ann's läptop", signingKey: pkcs8, writer };
const invalid = { code: "writer_file_invalid" };

test("it comes back as it was, from one line of JSON", async () => {
  const text = encodeDeviceFile(file);
  assert.match(text, /^\{[^\n]*\}\n$/);
  assert.deepEqual(await decodeDeviceFile(text), file);
});

test("what is missing, wrong or too much is refused", async () => {
  const content = JSON.parse(encodeDeviceFile(file));
  const other = await generateDeviceKey();
  for (const wrong of [
    { ...content, format: "cyberbackup-device/2" },
    { ...content, vault: "xyz" },
    { ...content, device: other.device },
    { ...content, signingKey: "AAAA" },
    { ...content, more: 1 },
    { ...content, writer: { ...content.writer, recipient: "nobody" } },
    { ...content, writer: undefined },
  ]) {
    await assert.rejects(decodeDeviceFile(JSON.stringify(wrong)), invalid, JSON.stringify(wrong));
  }
  for (const text of ["", "{", "[]", "null", `${JSON.stringify(content)}x`]) {
    await assert.rejects(decodeDeviceFile(text), invalid, text);
  }
});

test("the error does not repeat the secrets", async () => {
  const content = JSON.parse(encodeDeviceFile(file));
  const wrong = JSON.stringify({ ...content, format: 3 });
  await assert.rejects(decodeDeviceFile(wrong), (error: Error) => {
    const shown = `${error.message} ${String(error.cause)} ${JSON.stringify(error.cause)}`;
    return !shown.includes(content.writer.metaKey) && !shown.includes(content.signingKey);
  });
});
