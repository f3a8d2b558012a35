// Opens blocks in helper workers, so that decrypting, decompressing and hashing go on beside fetching and writing. Blocks are given to
// whoever has least to do; sealed bytes go over and opened ones come back without being copied.

import { type Bytes, concatBytes, fromHex } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { BlockContext } from "../../engine/block.ts";
import type { OpenedBlock } from "../../engine/reader/block-cache.ts";
import { ChunkTable } from "../../engine/reader/chunk-table.ts";
import { type ReaderOptions, VaultReader } from "../../engine/reader/reader.ts";
import type { BlockLocation } from "../../wire/v4/vault-port.ts";
import type { ContentPiece } from "./files/file-writes.ts";
import { type Endpoint, Peer } from "./rpc.ts";

export type OpenerApi = {
  start: { readonly input: Bytes; readonly output: null };
  open: {
    readonly input: {
      readonly key: Bytes;
      readonly context: BlockContext;
      readonly sealed: Bytes;
      readonly blockNo: number;
    };
    /** The chunks lie one after the other from `start` on; 32 bytes of `ids` for each. */
    readonly output: {
      readonly payload: ArrayBuffer;
      readonly start: number;
      readonly ids: Bytes;
      readonly lengths: Uint32Array;
    };
  };
  /** Whether a part of a file holds these pieces: 32 bytes of `ids` for each. */
  check: {
    readonly input: { readonly file: Blob; readonly ids: Bytes; readonly lengths: Uint32Array };
    readonly output: boolean;
  };
};

const HELPERS_MAX = 3;

/** A reader whose blocks are opened by helpers. They end with the worker that it lives in. */
export class PooledReader extends VaultReader {
  readonly #id: Uint8Array;
  readonly helpers: readonly Helper[];

  constructor(options: ReaderOptions) {
    super(options);
    this.#id = fromHex(options.vault.vaultId);
    const count = Math.max(1, Math.min(HELPERS_MAX, navigator.hardwareConcurrency - 1));
    this.helpers = Array.from({ length: count }, () => new Helper(options.secrets.writer.chunkIdKey));
  }

  override async openSealed(location: BlockLocation, sealed: Uint8Array): Promise<OpenedBlock> {
    const { blockNo, kind, session, counter } = location;
    const key = await this.sessionKeys.get(session);
    const helper = this.helpers.reduce((least, each) => (each.pending < least.pending ? each : least));
    const context = { vaultId: this.#id, sessionId: fromHex(session), kind, counter };
    const { payload, start, ids, lengths } = await helper.open({ key, context, sealed: sealed as Bytes, blockNo });
    const bytes = new Uint8Array(payload);
    const chunks = new ChunkTable(bytes, lengths.length);
    let at = start;
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      chunks.add(ids.subarray(i * ID_BYTES, (i + 1) * ID_BYTES), bytes.subarray(at, at + length));
      at += length;
    }
    return { blockNo, kind, chunks };
  }
}

const ID_BYTES = 32;

/** A worker, and what it has to do. */
class Helper {
  pending = 0;
  readonly #peer: Peer<OpenerApi>;
  readonly #started: Promise<unknown>;

  constructor(chunkIdKey: Bytes) {
    const worker = new Worker(new URL("./opener.worker.ts", import.meta.url), { type: "module", name: "opener" });
    this.#peer = new Peer<OpenerApi>(worker as Endpoint);
    worker.addEventListener("error", ({ message }) => {
      this.#peer.close(new AppError("internal", { context: { detail: `a helper ended: ${message}` } }));
    });
    this.#started = this.#peer.call("start", chunkIdKey);
  }

  async open(input: OpenerApi["open"]["input"]): Promise<OpenerApi["open"]["output"]> {
    this.pending++;
    try {
      await this.#started;
      // Each sealed block has a buffer of its own.
      return await this.#peer.call("open", input, { transfer: [input.sealed.buffer] });
    } finally {
      this.pending--;
    }
  }

  async check(file: Blob, pieces: readonly ContentPiece[]): Promise<boolean> {
    await this.#started;
    const ids = concatBytes(pieces.map(({ id }) => id));
    const lengths = Uint32Array.from(pieces, ({ length }) => length);
    return this.#peer.call("check", { file, ids, lengths }, { transfer: [ids.buffer, lengths.buffer] });
  }
}
