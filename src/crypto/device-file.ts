// What one machine keeps of a vault it is enrolled in: its signing key and the writer secrets. It opens no stored data.
// Layout: docs/format.md, Files on the device. How it travels as text is in client/writer-file.ts.

import { z } from "zod";
import type { Bytes } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { type DeviceId, ID_BYTES, type VaultId } from "../core/ids.ts";
import { base64Bytes, tryParseJson, type WriterSecrets, writerSchema, writerToJson } from "./secrets.ts";
import { importSigner } from "./signature.ts";

export type DeviceFile = {
  readonly vault: VaultId;
  readonly device: DeviceId;
  readonly name: string;
  /** Ed25519, PKCS#8. */
  readonly signingKey: Bytes;
  readonly writer: WriterSecrets;
  /** Only in writer files for a vault on a server: where it is, and whom to trust there. */
  readonly server?: { readonly address: string; readonly pin: Bytes | undefined } | undefined;
};

const FORMAT = "cyberbackup-device/1";

const deviceFileSchema = z.strictObject({
  format: z.literal(FORMAT),
  vault: hexId(ID_BYTES.vault),
  device: hexId(ID_BYTES.device),
  name: z.string().max(255),
  signingKey: base64Bytes({ maxLength: 256 }),
  writer: writerSchema,
  server: z.strictObject({ address: z.string().max(512), pin: base64Bytes(32).nullable() }).optional(),
});

/** One line of JSON. */
export function encodeDeviceFile(file: DeviceFile): string {
  const content: z.input<typeof deviceFileSchema> = {
    format: FORMAT,
    vault: file.vault,
    device: file.device,
    name: file.name,
    signingKey: file.signingKey.toBase64(),
    writer: writerToJson(file.writer),
    ...(file.server ? { server: { address: file.server.address, pin: file.server.pin?.toBase64() ?? null } } : {}),
  };
  return `${JSON.stringify(content)}\n`;
}

/** Throws `writer_file_invalid`. */
export async function decodeDeviceFile(text: string): Promise<DeviceFile> {
  const parsed = deviceFileSchema.safeParse(tryParseJson(text));
  if (!parsed.success) throw invalid("it does not hold what it should.", parsed.error);
  const { vault, device, name, signingKey, writer, server } = parsed.data;
  if ((await signerDevice(signingKey)) !== device) throw invalid("its device id does not fit its key.");
  return {
    vault: vault as VaultId,
    device: device as DeviceId,
    name,
    signingKey,
    writer,
    ...(server ? { server: { address: server.address, pin: server.pin ?? undefined } } : {}),
  };
}

async function signerDevice(signingKey: Bytes): Promise<DeviceId> {
  try {
    return (await importSigner(signingKey)).device;
  } catch (cause) {
    throw invalid("its signing key is not one.", cause);
  }
}

function hexId(bytes: number) {
  return z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
}

function invalid(detail: string, cause?: unknown): AppError {
  return new AppError("writer_file_invalid", { cause, context: { detail } });
}
