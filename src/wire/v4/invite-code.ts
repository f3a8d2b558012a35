// An enrolment code: one line that holds where the vault is, whom to trust there, and the invitation key. Whoever has it can enrol one
// device, so it is never logged or sent to a server. Layout: docs/protocol-v4.md, Enrolment.

import { ByteReader, type Bytes, ByteWriter, fromHex, toHex, tryUtf8Decode, utf8 } from "../../core/bytes.ts";
import { crc32c } from "../../core/checksum.ts";
import { AppError } from "../../core/errors.ts";
import { ID_BYTES, type VaultId } from "../../core/ids.ts";

export type InviteCode = {
  readonly vault: VaultId;
  /** 32 bytes. */
  readonly key: Bytes;
  /** SHA-256 of the certificate to trust; undefined: the machine's public authorities. */
  readonly pin: Bytes | undefined;
  /** `https://host:port/NAME`. */
  readonly address: string;
};

const PREFIX = "cb4-";
const VERSION = 1;
const FLAG_PIN = 1;
const HASH_BYTES = 32;
const ADDRESS_MAX_BYTES = 512;
const CHECKSUM_BYTES = 4;
const MAX_CHARACTERS = 2048;
const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

export function encodeInviteCode({ vault, key, pin, address }: InviteCode): string {
  const text = utf8(address);
  if (text.length > ADDRESS_MAX_BYTES || key.length !== HASH_BYTES || (pin && pin.length !== HASH_BYTES)) {
    throw new AppError("internal", { context: { detail: "an enrolment code of parts that do not fit" } });
  }
  const writer = new ByteWriter();
  writer.u8(VERSION);
  writer.u8(pin ? FLAG_PIN : 0);
  writer.bytes(fromHex(vault));
  writer.bytes(key);
  if (pin) writer.bytes(pin);
  writer.u16(text.length);
  writer.bytes(text);
  writer.u32(crc32c(writer.view()));
  return PREFIX + writer.take().toBase64(BASE64URL);
}

/** Blanks and line breaks do not matter: mail and chat break lines. Throws `invite_code_invalid`. */
export function decodeInviteCode(code: string): InviteCode {
  if (code.length > MAX_CHARACTERS) fail("it is too long");
  const plain = code.replace(/\s+/g, "");
  if (!plain.startsWith(PREFIX)) fail(`it does not begin with ${PREFIX}`);
  const bytes = decodeBase64(plain.slice(PREFIX.length));
  const end = bytes.length - CHECKSUM_BYTES;
  if (end < 0 || new ByteReader(bytes, fail, end).u32() !== crc32c(bytes.subarray(0, end))) {
    fail("some of its characters are wrong or missing");
  }
  const reader = new ByteReader(bytes.subarray(0, end), fail);
  const version = reader.u8();
  if (version !== VERSION) fail("it was made by a newer program");
  const flags = reader.u8();
  if ((flags & ~FLAG_PIN) !== 0) fail("it was made by a newer program");
  const vault = toHex(reader.bytes(ID_BYTES.vault)) as VaultId;
  const key = reader.bytes(HASH_BYTES).slice();
  const pin = flags & FLAG_PIN ? reader.bytes(HASH_BYTES).slice() : undefined;
  const length = reader.u16();
  if (length > ADDRESS_MAX_BYTES) fail("its address is too long");
  const address = tryUtf8Decode(reader.bytes(length)) ?? fail("its address is no text");
  reader.end();
  return { vault, key, pin, address };
}

function decodeBase64(text: string): Bytes {
  const bytes = tryBase64(text);
  // Bits beyond the last byte are zero, so that one code has one spelling.
  if (bytes?.toBase64(BASE64URL) === text) return bytes;
  return fail("some of its characters are wrong or missing");
}

/** Not to be the cause of an error: what the platform throws may quote the text. */
function tryBase64(text: string): Bytes | undefined {
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined;
  }
}

function fail(detail: string): never {
  throw new AppError("invite_code_invalid", { context: { detail } });
}
