// Streams finished blocks into packs, each uploaded as it fills, and learns the blockNo of every block from the receipts.

import type { Bytes } from "../../core/bytes.ts";
import type { BlockId, DeviceId, SessionId, VaultId } from "../../core/ids.ts";
import { sha256 } from "../../core/sha256.ts";
import type { Signer } from "../../crypto/signature.ts";
import { type BlockEntry, blockStatement, FRAME_HEADER_BYTES } from "../../wire/v4/pack.ts";
import { encodeFooter } from "../../wire/v4/pack-footer.ts";
import { encodePackHeader } from "../../wire/v4/pack-header.ts";
import type { VaultPort } from "../../wire/v4/vault-port.ts";
import { ByteQueue } from "./byte-queue.ts";
import type { FinishedBlock } from "./types.ts";

export type PackWriterOptions = {
  readonly vault: VaultPort;
  readonly vaultId: VaultId;
  readonly session: SessionId;
  readonly device: DeviceId;
  readonly sealedKey: Bytes;
  readonly signer: Signer;
  /** Size at which a pack is closed. */
  readonly packBytes: number;
  /** Hears of bytes that the vault has taken in: `queuedBytes` has fallen. */
  readonly onTaken: () => void;
  /** Hears of each block that the vault has stored. */
  readonly onStored: (block: Pick<BlockEntry, "counter" | "chunkIds">, blockNo: number) => void;
  /** Hears at once why a pack could not be stored. */
  readonly onFailure: (error: unknown) => void;
};

type OpenPack = {
  queue: ByteQueue;
  entries: Omit<BlockEntry, "signature">[];
  length: number;
  idsBytes: number;
  receipt: Promise<readonly number[]>;
};

/**
 * Ids of chunks in one pack's footer: sender and vault hold footers whole, several times over, and with tiny files they would outgrow
 * the blocks.
 */
const FOOTER_IDS_BYTES = 1024 * 1024;

export class PackWriter {
  readonly #options: PackWriterOptions;
  readonly #header: Bytes;
  #open: OpenPack | undefined;
  readonly #pending = new Set<Promise<void>>();
  readonly #queues = new Set<ByteQueue>();
  #failure: unknown;
  #aborted = false;
  /** Sealed bytes that were given to the vault. */
  addedBytes = 0;

  constructor(options: PackWriterOptions) {
    this.#options = options;
    const { session, device, sealedKey } = options;
    this.#header = encodePackHeader(options.vaultId, [{ session, device, sealedKey }]);
  }

  /** Bytes that wait for the vault: the run slows down when these grow. */
  get queuedBytes(): number {
    let total = 0;
    for (const queue of this.#queues) total += queue.queuedBytes;
    return total;
  }

  /** Takes a block; never waits. Throws what made an earlier pack fail. After `abort` it takes none: that would start a new pack. */
  add(block: FinishedBlock): void {
    if (this.#aborted) return;
    this.throwIfFailed();
    this.#open ??= this.#start();
    const pack = this.#open;
    const { kind, counter, frame, blockId, chunkIds } = block;
    const length = frame.length - FRAME_HEADER_BYTES;
    const offset = pack.length + FRAME_HEADER_BYTES;
    pack.entries.push({ blockId: blockId as BlockId, offset, length, counter, sessionIndex: 0, kind, chunkIds });
    pack.queue.push(frame);
    pack.length += frame.length;
    this.addedBytes += length;
    pack.idsBytes += chunkIds.length;
    if (pack.length >= this.#options.packBytes || pack.idsBytes >= FOOTER_IDS_BYTES) this.#close();
  }

  /** Closes the last pack and waits until the vault has taken all of them. */
  async finish(): Promise<void> {
    this.#close();
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    this.throwIfFailed();
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends the open upload without a footer, so that the vault forgets it, and waits for what is under way. */
  async abort(): Promise<void> {
    this.#aborted = true;
    this.#open?.queue.end();
    this.#open = undefined;
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  #start(): OpenPack {
    const queue = new ByteQueue(this.#options.onTaken);
    queue.push(this.#header.slice());
    this.#queues.add(queue);
    const receipt = this.#options.vault.putPack(this.#options.session, queue).then(({ blockNos }) => blockNos);
    const pack: OpenPack = { queue, entries: [], length: this.#header.length, idsBytes: 0, receipt };
    const done = this.#settle(pack).finally(() => {
      this.#pending.delete(done);
      this.#queues.delete(queue);
    });
    this.#pending.add(done);
    return pack;
  }

  async #settle(pack: OpenPack): Promise<void> {
    try {
      const blockNos = await pack.receipt;
      for (const [i, entry] of pack.entries.entries()) this.#options.onStored(entry, blockNos[i]!);
    } catch (error) {
      this.#fail(error, pack);
    }
  }

  /** What the pack still had to send will not be taken by anybody. */
  #fail(error: unknown, pack: OpenPack): void {
    this.#failure ??= error;
    this.#queues.delete(pack.queue);
    this.#options.onFailure(error);
  }

  #close(): void {
    const pack = this.#open;
    if (!pack) return;
    this.#open = undefined;
    const footer = this.#footer(pack.entries).then(
      (bytes) => {
        pack.queue.push(bytes);
      },
      (error: unknown) => this.#fail(error, pack),
    );
    void footer.then(() => pack.queue.end());
  }

  async #footer(entries: readonly Omit<BlockEntry, "signature">[]): Promise<Bytes> {
    const { vaultId, session, signer } = this.#options;
    const signed: BlockEntry[] = [];
    for (const entry of entries) {
      const idsHash = await sha256(entry.chunkIds);
      const statement = blockStatement(vaultId, session, entry.counter, entry.kind, entry.blockId, idsHash);
      signed.push({ ...entry, signature: await signer.sign(statement) });
    }
    return encodeFooter(signed);
  }
}
