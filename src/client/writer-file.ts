// A device file as one armored text that survives mail, chat and paper: `writer export` prints it, `--writer-file` reads it.
// Form: a BEGIN line, the JSON of the device file in base64 in lines of 64, `=` and the CRC-32C of the JSON in 8 hex digits, an
// END line. The checksum finds damaged pastes; it proves nothing else.

import { type Bytes, tryUtf8Decode, utf8 } from "../core/bytes.ts";
import { crc32c } from "../core/checksum.ts";
import { AppError } from "../core/errors.ts";
import { type DeviceFile, decodeDeviceFile, encodeDeviceFile } from "../crypto/device-file.ts";

const BEGIN = "-----BEGIN CYBERBACKUP WRITER-----";
const END = "-----END CYBERBACKUP WRITER-----";
const LINE_CHARACTERS = 64;
const MAX_CHARACTERS = 64 * 1024;

export function encodeWriterFile(file: DeviceFile): string {
  const json = utf8(encodeDeviceFile(file));
  const lines = json.toBase64().match(new RegExp(`.{1,${LINE_CHARACTERS}}`, "g"))!;
  return `${[BEGIN, ...lines, checksumLine(json), END].join("\n")}\n`;
}

/** Line ends of any kind, blanks around lines and blank lines do not matter. Throws `writer_file_invalid`. */
export async function decodeWriterFile(text: string): Promise<DeviceFile> {
  if (text.length > MAX_CHARACTERS) fail("it is too long.");
  const lines = text.split(/[\r\n]+/).map((line) => line.replace(/[\s\ufeff]+/g, ""));
  const begin = lines.indexOf(bare(BEGIN));
  const end = lines.indexOf(bare(END));
  if (begin < 0) fail("its BEGIN line is missing.");
  if (end < begin) fail("its END line is missing: the text was cut off.");
  const body = lines.slice(begin + 1, end).filter((line) => line !== "");
  const checksum = body.pop();
  if (!checksum?.startsWith("=")) return fail("its checksum line is missing.");
  const json = decodeBase64(body.join(""));
  if (checksum.toLowerCase() !== checksumLine(json)) fail("its checksum does not match: some of the text is damaged.");
  return decodeDeviceFile(tryUtf8Decode(json) ?? "");
}

function checksumLine(json: Uint8Array): string {
  return `=${crc32c(json).toString(16).padStart(8, "0")}`;
}

function bare(line: string): string {
  return line.replaceAll(" ", "");
}

function decodeBase64(text: string): Bytes {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    // Not as a cause: its message may quote the text.
    return fail("its lines are not base64.");
  }
}

function fail(detail: string): never {
  throw new AppError("writer_file_invalid", { context: { detail } });
}
