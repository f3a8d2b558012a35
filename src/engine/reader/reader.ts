// The read side of a vault: from chunkIds to bytes. Nothing is given out that was not opened with its session's key and re-hashed to
// the chunkId that was asked for, so neither a damaged disk, a lying vault nor a hostile device can slip in other bytes.
// Format: docs/format.md, Packs and Sealed bytes of a block.

import { fromHex } from "../../core/bytes.ts";
import { AppError, throwIfAborted } from "../../core/errors.ts";
import type { ChunkId, SnapshotId } from "../../core/ids.ts";
import type { ReaderSecrets } from "../../crypto/secrets.ts";
import { type BlockKind, type BlockLocation, KIND_TREE, type VaultPort } from "../../wire/v4/vault-port.ts";
import { openBlock } from "../block.ts";
import type { EnginePlatform } from "../platform.ts";
import { BlockCache, nameChunks, type OpenedBlock } from "./block-cache.ts";
import { type ChunkKey, chunkKey } from "./chunk-table.ts";
import { fetchEach, packOrder } from "./fetch.ts";
import { SessionKeys } from "./session-keys.ts";

export type ReaderOptions = {
  readonly vault: VaultPort;
  readonly secrets: ReaderSecrets;
  readonly platform: EnginePlatform;
  /** Opened blocks that are kept, in bytes. */
  readonly cacheBytes?: number | undefined;
  /** Keys that another reader of the same vault has opened. */
  readonly sessionKeys?: SessionKeys | undefined;
  /** Of several blocks that hold a chunk, one that this snapshot rests on is read. */
  readonly snapshot?: SnapshotId | undefined;
};

export type ReadOptions = {
  /** What the chunks belong to, for messages. */
  readonly path?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

const CACHE_BYTES = 32 * 2 ** 20;
/** Locations that are remembered ahead of their use. */
const LOCATIONS_MAX = 65536;

export function openReader(options: ReaderOptions): VaultReader {
  return new VaultReader(options);
}

export class VaultReader {
  readonly vault: VaultPort;
  readonly secrets: ReaderSecrets;
  readonly platform: EnginePlatform;
  readonly sessionKeys: SessionKeys;
  /** The reader that this one was made from (`of`), or itself. */
  readonly whole: VaultReader;
  readonly #vaultId: Uint8Array;
  readonly #snapshot: SnapshotId | undefined;
  readonly #cache: BlockCache;
  readonly #locations = new Map<ChunkKey, BlockLocation>();

  /** `whole`: another reader of the same vault, whose opened blocks this one uses too. */
  constructor(options: ReaderOptions, whole?: VaultReader) {
    const { vault, secrets, platform, cacheBytes = CACHE_BYTES, sessionKeys, snapshot } = options;
    this.vault = vault;
    this.secrets = secrets;
    this.platform = platform;
    this.sessionKeys = sessionKeys ?? new SessionKeys(vault, secrets.identity);
    this.#vaultId = fromHex(vault.vaultId);
    this.#snapshot = snapshot;
    this.whole = whole ?? this;
    this.#cache = whole ? whole.#cache : new BlockCache(cacheBytes);
  }

  /**
   * This reader for one snapshot, with the same opened blocks and keys. What belongs to a snapshot is read with it: a chunk may lie in
   * several blocks, some of them of devices that the snapshot's own does not rely on.
   */
  of({ row }: { readonly row: { readonly id: SnapshotId } }): VaultReader {
    return new SnapshotReader(this, row.id);
  }

  /**
   * The chunks, in the order asked, as views of opened blocks: do not keep them for long, never write to them.
   * Throws `chunk_missing`, `chunk_corrupt` or `block_corrupt`.
   */
  async readChunks(chunkIds: readonly ChunkId[], kind: BlockKind, options: ReadOptions = {}): Promise<Uint8Array[]> {
    const keys = chunkIds.map((id) => chunkKey(id));
    const found = keys.map((key) => this.#cache.chunk(key, kind));
    const missing = keys.flatMap((_, i) => (found[i] ? [] : [i]));
    if (missing.length === 0) return found as Uint8Array[];
    const locations = await this.locate(missing.map((i) => chunkIds[i]!));
    const wanted = new Map<BlockLocation["blockNo"], { location: BlockLocation; indexes: number[] }>();
    missing.forEach((i, at) => {
      const location = locations[at];
      if (!location) throw new AppError("chunk_missing", { context: { path: options.path ?? "the snapshot" } });
      const same = wanted.get(location.blockNo);
      if (same) same.indexes.push(i);
      else wanted.set(location.blockNo, { location, indexes: [i] });
    });
    const blocks = [...wanted.values()].map(({ location }) => location).sort(packOrder);
    await this.sessionKeys.prepare(blocks.map(({ session }) => session));
    for await (const fetched of fetchEach(this.vault, blocks)) {
      throwIfAborted(options.signal);
      if (fetched.error) throw fetched.error;
      const opened = await this.openSealed(fetched.block, fetched.sealed);
      this.#cache.add(opened);
      for (const i of wanted.get(opened.blockNo)!.indexes) {
        found[i] = takeChunk(opened, keys[i]!, kind, fetched.block, options.path);
      }
    }
    return found as Uint8Array[];
  }

  /** Where the chunks lie; undefined where the vault does not have one. Answers that came with `locateAhead` cost nothing. */
  async locate(chunkIds: readonly ChunkId[]): Promise<(BlockLocation | undefined)[]> {
    const found = chunkIds.map((id) => this.#locations.get(chunkKey(id)));
    const unknown = chunkIds.filter((_, i) => !found[i]);
    if (unknown.length === 0) return found;
    const answers = (await this.vault.locateChunks(unknown, this.#snapshot)).values();
    return found.map((location) => location ?? answers.next().value);
  }

  /** Asks now, in one call, for tree chunks that will be read soon. */
  async locateAhead(chunkIds: readonly ChunkId[]): Promise<void> {
    const unknown = chunkIds.filter((id) => {
      const key = chunkKey(id);
      return !this.#cache.chunk(key, KIND_TREE) && !this.#locations.has(key);
    });
    if (unknown.length === 0) return;
    if (this.#locations.size > LOCATIONS_MAX) this.#locations.clear();
    const answers = await this.vault.locateChunks(unknown, this.#snapshot);
    unknown.forEach((id, i) => {
      const location = answers[i];
      if (location) this.#locations.set(chunkKey(id), location);
    });
  }

  /** Opens sealed bytes and names every chunk in them. Throws `block_corrupt`, or `record_corrupt` for the session's key. */
  async openSealed(location: BlockLocation, sealed: Uint8Array): Promise<OpenedBlock> {
    const { blockNo, kind, session, counter } = location;
    const key = await this.sessionKeys.get(session);
    const context = { vaultId: this.#vaultId, sessionId: fromHex(session), kind, counter };
    const chunks = await openBlock(this.platform, key, context, sealed, blockNo);
    return nameChunks(this.platform, this.secrets.writer.chunkIdKey, kind, blockNo, chunks);
  }
}

/** It opens blocks the way that the reader does which it was made from. */
class SnapshotReader extends VaultReader {
  constructor(whole: VaultReader, snapshot: SnapshotId) {
    const { vault, secrets, platform, sessionKeys } = whole;
    super({ vault, secrets, platform, sessionKeys, snapshot }, whole);
  }

  override openSealed(location: BlockLocation, sealed: Uint8Array): Promise<OpenedBlock> {
    return this.whole.openSealed(location, sealed);
  }
}

function takeChunk(
  opened: OpenedBlock,
  key: ChunkKey,
  kind: BlockKind,
  location: BlockLocation,
  path = "the snapshot",
): Uint8Array {
  const chunk = location.kind === kind ? opened.chunks.get(key) : undefined;
  if (chunk) return chunk;
  const detail = `block ${location.blockNo}, written by device ${location.device.slice(0, 8)}, does not hold what it says it holds`;
  throw new AppError("chunk_corrupt", { context: { path, detail } });
}
