// Tree segments on their way to blocks: named, asked for in batches, and put into blocks of their own, so that browsing touches few.

import { type Bytes, concatBytes } from "../../core/bytes.ts";
import type { Awaitable, MacKey, Primitives } from "../../crypto/primitives.ts";
import { KIND_TREE } from "../../wire/v4/vault-port.ts";
import { BlockPayloadWriter } from "../block.ts";
import type { Dedup } from "./dedup.ts";

const PREFIX = Uint8Array.of(KIND_TREE);
const ASK_AT_SEGMENTS = 128;
const ASK_AT_BYTES = 2 ** 20;
const BLOCK_BYTES = 2 ** 20;

type Waiting = { readonly id: Awaitable<Bytes>; readonly segment: Bytes; readonly row: number };

export type TreeBlocksOptions = {
  readonly primitives: Primitives;
  readonly chunkIdKey: MacKey;
  readonly dedup: Dedup;
  /** Seals a full block; the rows of its chunks become known when it is stored. */
  readonly seal: (payload: Bytes, chunkIds: Bytes, rows: readonly number[]) => void;
  readonly onNewBytes: (bytes: number) => void;
};

export class TreeBlocks {
  readonly #options: TreeBlocksOptions;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  readonly #block = new BlockPayloadWriter();
  #blockBytes = 0;
  #ids: Bytes[] = [];
  #rows: number[] = [];
  /** Asks that are not decided yet. They need not be decided in the order in which they were begun. */
  readonly #asking = new Set<Promise<void>>();

  constructor(options: TreeBlocksOptions) {
    this.#options = options;
  }

  /** Takes a segment; gives its chunkId and the row of its block. A full batch is asked for on the way. */
  add(segment: Bytes): { id: Awaitable<Bytes>; row: number; asked: Promise<void> | undefined } {
    const { primitives, chunkIdKey, dedup } = this.#options;
    const id = primitives.hmacSha256(chunkIdKey, PREFIX, segment);
    const row = dedup.newRow();
    this.#waiting.push({ id, segment, row });
    this.#waitingBytes += segment.length;
    const full = this.#waiting.length >= ASK_AT_SEGMENTS || this.#waitingBytes >= ASK_AT_BYTES;
    return { id, row, asked: full ? this.#ask() : undefined };
  }

  /** Asks for the rest and, once every ask is decided, seals the last block. */
  async flush(): Promise<void> {
    void this.#ask();
    await Promise.all(this.#asking);
    this.#seal();
  }

  #ask(): Promise<void> {
    const asked = this.#askBatch();
    this.#asking.add(asked);
    const forget = () => this.#asking.delete(asked);
    asked.then(forget, forget);
    return asked;
  }

  async #askBatch(): Promise<void> {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    const ids = new Uint8Array(batch.length * 32);
    for (const [i, { id }] of batch.entries()) ids.set(await id, i * 32);
    await this.#options.dedup.ask(ids, (lookup) => {
      batch.forEach(({ segment, row }, i) => {
        const ref = lookup(i);
        if (ref === undefined) this.#store(ids, i, segment, row);
        else this.#options.dedup.alias(row, ref);
      });
    });
  }

  #store(ids: Bytes, index: number, segment: Bytes, row: number): void {
    this.#options.dedup.place(ids, index, row);
    this.#options.onNewBytes(segment.length);
    this.#block.add(segment);
    this.#blockBytes += segment.length;
    this.#ids.push(ids.subarray(index * 32, index * 32 + 32));
    this.#rows.push(row);
    if (this.#blockBytes >= BLOCK_BYTES) this.#seal();
  }

  #seal(): void {
    if (this.#rows.length === 0) return;
    this.#options.seal(this.#block.take().slice(), concatBytes(this.#ids), this.#rows);
    this.#blockBytes = 0;
    this.#ids = [];
    this.#rows = [];
  }
}
