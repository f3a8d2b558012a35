// The file to be sent, as packets of ciphertext with the checksum of what went into them. Read once from its beginning to the size
// that it had when it was opened, a few packets at a time; nothing of it is kept.

import { type FileHandle, open } from "node:fs/promises";
import type { Cksum } from "../../core/checksum.ts";
import { AppError } from "../../core/errors.ts";
import { encryptFile } from "../legacy-crypto.ts";
import { type PacketPlan, planPackets } from "./packets.ts";

const READ_BYTES = 256 * 1024;

export type OldPacket = { readonly number: number; readonly ciphertext: Uint8Array };

export class FileSource {
  readonly path: string;
  readonly sizeBytes: number;
  readonly plan: PacketPlan;
  readonly #handle: FileHandle;
  readonly #mtimeMs: number;

  private constructor(path: string, handle: FileHandle, sizeBytes: number, mtimeMs: number) {
    this.path = path;
    this.sizeBytes = sizeBytes;
    this.plan = planPackets(sizeBytes);
    this.#handle = handle;
    this.#mtimeMs = mtimeMs;
  }

  /** Throws `io`, and `limit` for a file that protocol 3 cannot carry. */
  static async open(path: string): Promise<FileSource> {
    const handle = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
      throw new AppError("io", { cause, context: { path, detail: `${cause.code ?? "unknown error"}.` } });
    });
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw new AppError("io", { context: { path, detail: "it is not a file." } });
      return new FileSource(path, handle, stat.size, stat.mtimeMs);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** All packets in order; `sum` takes the plaintext. Throws `io` when the file became shorter. */
  async *packets(fileKey: Uint8Array, sum: Cksum): AsyncGenerator<OldPacket> {
    const { packetBytes, packets } = this.plan;
    const cipher = encryptFile(fileKey);
    // A multiple of the packet, so that packets end where slices do and nothing is put together from two.
    const buffer = Buffer.alloc(packetBytes * Math.max(1, Math.floor(READ_BYTES / packetBytes)));
    let number = 1;
    for (let at = 0; number <= packets; at += buffer.length) {
      const plain = buffer.subarray(0, Math.max(0, Math.min(buffer.length, this.sizeBytes - at)));
      await this.#fill(plain, at);
      sum.update(plain);
      const isLast = at + plain.length >= this.sizeBytes && plain.length < buffer.length;
      const sealed = cipher.update(plain);
      const whole = isLast ? Buffer.concat([sealed, cipher.end()!]) : sealed;
      for (let from = 0; from < whole.length; from += packetBytes) {
        yield { number: number++, ciphertext: whole.subarray(from, from + packetBytes) };
      }
    }
  }

  /** True when it is not what it was when it was opened: then what was sent may be a mixture. */
  async hasChanged(): Promise<boolean> {
    const { size, mtimeMs } = await this.#handle.stat();
    return size !== this.sizeBytes || mtimeMs !== this.#mtimeMs;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #fill(target: Buffer, at: number): Promise<void> {
    for (let got = 0; got < target.length; ) {
      const { bytesRead } = await this.#handle.read(target, got, target.length - got, at + got);
      if (bytesRead === 0) {
        throw new AppError("io", { context: { path: this.path, detail: "it became shorter while it was sent." } });
      }
      got += bytesRead;
    }
  }
}
