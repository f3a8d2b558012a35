// One file on its way in: packets in their order, decrypted, checked and handed to the store as their bytes come. Nothing is gathered
// but packets that came before their turn, and of those only so many bytes. What is wrong with the content is said after the last
// packet, as the old server did, but from the first wrong byte on the store holds nothing of it any more.

import { Cksum } from "../core/checksum.ts";
import type { PacketHead } from "../wire/v3/messages.ts";
import { decryptFile, type LegacyCipher } from "./legacy-crypto.ts";
import type { Upload } from "./upload-store.ts";

export type IncomingOptions = {
  readonly fileKey: Uint8Array;
  /** Of the packet that the file began with. */
  readonly plainBytes: number;
  readonly total: number;
  /** Ciphertext that may wait for packets before it. */
  readonly window: Window;
  readonly upload: Upload;
};

/** Room for packets before their turn: for one file, and for all together, so that nobody can fill the memory. */
export type Window = { readonly fileBytes: number; readonly allBytes: number; usedBytes: number };

/** What a packet means for the file: its bytes go on, are kept for later, or are of no use (a repeat). */
export type PacketPlace = "next" | "early" | "repeated" | "contradicts" | "over_window";

export type Received = { readonly cipherBytes: number; readonly cksum: number };

export class IncomingFile {
  readonly #options: IncomingOptions;
  readonly #cipher: LegacyCipher;
  readonly #cksum = new Cksum();
  readonly #early = new Map<number, { readonly bytes: Uint8Array; length: number }>();
  #earlyBytes = 0;
  #nextNumber = 1;
  #cipherBytes = 0;
  #isWrong = false;
  #isReceived = false;

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#cipher = decryptFile(options.fileKey);
  }

  /** True once the last packet was taken. */
  get isWhole(): boolean {
    return this.#nextNumber > this.#options.total;
  }

  /** True between the last packet and the client's word on the checksum. */
  get isReceived(): boolean {
    return this.#isReceived;
  }

  /** Where a packet belongs, from its head alone. */
  placeOf({ number, total, plainBytes, cipherBytes }: PacketHead): PacketPlace {
    const { window } = this.#options;
    if (total !== this.#options.total || plainBytes !== this.#options.plainBytes) return "contradicts";
    if (number === this.#nextNumber) return "next";
    if (number < this.#nextNumber || this.#early.has(number)) return "repeated";
    const isTooMuch =
      this.#earlyBytes + cipherBytes > window.fileBytes || window.usedBytes + cipherBytes > window.allBytes;
    return isTooMuch ? "over_window" : "early";
  }

  /** Ciphertext of the packet whose turn it is. Throws what the store throws. */
  async take(content: Uint8Array): Promise<void> {
    this.#cipherBytes += content.length;
    if (!this.#isWrong) await this.#store(this.#cipher.update(content));
  }

  /** The packet whose turn it was is complete; what waited for it follows. */
  async endPacket(): Promise<void> {
    this.#nextNumber++;
    for (let next = this.#early.get(this.#nextNumber); next; next = this.#early.get(this.#nextNumber)) {
      this.#giveWindowBack(this.#nextNumber);
      await this.take(next.bytes);
      this.#nextNumber++;
    }
  }

  /** Makes room for a packet before its turn. */
  beginEarly(number: number, cipherBytes: number): void {
    this.#early.set(number, { bytes: new Uint8Array(cipherBytes), length: 0 });
    this.#earlyBytes += cipherBytes;
    this.#options.window.usedBytes += cipherBytes;
  }

  takeEarly(number: number, content: Uint8Array): void {
    const packet = this.#early.get(number)!;
    packet.bytes.set(content, packet.length);
    packet.length += content.length;
  }

  /** After the last packet: what the client shall compare, or undefined when the content is not what it was said to be. */
  async end(): Promise<Received | undefined> {
    const last = this.#isWrong ? undefined : this.#cipher.end();
    if (last) await this.#store(last);
    const { lengthBytes } = this.#cksum.state;
    if (!last || this.#isWrong || lengthBytes !== this.#options.plainBytes) {
      await this.abort();
      return undefined;
    }
    this.#isReceived = true;
    return { cipherBytes: this.#cipherBytes, cksum: this.#cksum.digest() };
  }

  commit(): Promise<void> {
    return this.#options.upload.commit();
  }

  abort(): Promise<void> {
    this.#isWrong = true;
    for (const number of [...this.#early.keys()]) this.#giveWindowBack(number);
    return this.#options.upload.abort();
  }

  #giveWindowBack(number: number): void {
    const { length } = this.#early.get(number)!.bytes;
    this.#early.delete(number);
    this.#earlyBytes -= length;
    this.#options.window.usedBytes -= length;
  }

  async #store(plain: Uint8Array): Promise<void> {
    if (plain.length === 0) return;
    this.#cksum.update(plain);
    if (this.#cksum.state.lengthBytes > this.#options.plainBytes) await this.abort();
    else await this.#options.upload.write(plain);
  }
}
