// One file over one session: its packets, the server's receipt, and the verdict on its checksum (docs/protocol-v3.md).

import { basename } from "node:path";
import { Cksum } from "../../core/checksum.ts";
import { isAppError } from "../../core/errors.ts";
import { requireSafeName } from "../../core/filename.ts";
import { REPLY, REQUEST, type Reply } from "../../wire/v3/messages.ts";
import { encodeNameRequest, encodePacketHead } from "../../wire/v3/requests.ts";
import type { FileSource } from "./file-source.ts";
import type { Session } from "./login.ts";
import { expectReply, unexpected } from "./replies.ts";

export type Receipt = {
  /** Of what was sent. */
  readonly cksum: number;
  /** Of what the server got. */
  readonly serverCksum: number;
};

/** The name under which a server keeps a file. Throws `filename_invalid`. */
export function nameAtServer(path: string): string {
  return requireSafeName(basename(path).normalize("NFC"));
}

/**
 * Sends the whole file and waits for the receipt. `isResent`: 1030 came before it on this connection, which some servers answer and
 * others do not. Throws `v3_refused`, `v3_connection`, `v3_protocol`, `io`.
 */
export async function sendFile(
  { connection, client, fileKey }: Session,
  source: FileSource,
  { isResent, onBytes }: { readonly isResent: boolean; readonly onBytes: (cipherBytes: number) => void },
): Promise<Receipt> {
  const { plan, sizeBytes } = source;
  const name = nameAtServer(source.path);
  const sum = new Cksum();
  let mayAcknowledge = isResent;
  const next = async (): Promise<Reply> => {
    const reply = await connection.reply();
    if (!mayAcknowledge || reply.code !== REPLY.acknowledged) return reply;
    mayAcknowledge = false;
    return connection.reply();
  };
  for await (const { number, ciphertext } of source.packets(fileKey, sum)) {
    const cipherBytes = ciphertext.length;
    const head = { cipherBytes, plainBytes: sizeBytes, number, total: plan.packets, name };
    await connection.send(encodePacketHead(client, head), ciphertext).catch(async (error: unknown) => {
      // Who refuses may close at once: the refusal says more than the broken connection.
      if (connection.hasReply && isAppError(error, "v3_connection")) refusalOf(await next());
      throw error;
    });
    onBytes(cipherBytes);
    if (connection.hasReply && number < plan.packets) {
      const reply = await connection.reply();
      if (!mayAcknowledge || reply.code !== REPLY.acknowledged) refusalOf(reply);
      mayAcknowledge = false;
    }
  }
  const receipt = expectReply(await next(), [REPLY.fileReceived], "the file");
  if (receipt.client !== client || receipt.name !== name) throw unexpected("a receipt is for another file");
  if (receipt.cipherBytes !== plan.cipherBytes) throw unexpected("a receipt has another size than what was sent");
  return { cksum: sum.digest(), serverCksum: receipt.cksum };
}

/** A reply before the last packet can only be a refusal. */
function refusalOf(reply: Reply): never {
  throw expectReply(reply, [], "the file");
}

/** 1029. When it answers, the server keeps the file. */
export async function confirmFile(session: Session, path: string): Promise<void> {
  await verdict(session, REQUEST.checksumRight, path);
  expectReply(await session.connection.reply(), [REPLY.acknowledged], "to keep the file");
}

/** 1030: the file comes again. No reply is waited for. */
export function announceResend(session: Session, path: string): Promise<void> {
  return verdict(session, REQUEST.checksumWrong, path);
}

/** 1031: the file does not come again. The reply says nothing that matters. */
export async function giveUpFile(session: Session, path: string): Promise<void> {
  await verdict(session, REQUEST.checksumFailed, path);
  await session.connection.reply();
}

function verdict(
  { connection, client }: Session,
  code: typeof REQUEST.checksumRight | typeof REQUEST.checksumWrong | typeof REQUEST.checksumFailed,
  path: string,
): Promise<void> {
  return connection.send(encodeNameRequest(code, client, nameAtServer(path)));
}
