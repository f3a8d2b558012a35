// One backup run from opening the session to the acknowledged snapshot (docs/format.md; architecture, The chunk pipeline).
// What it stores is kept if it fails or is interrupted: the next run finds it by asking. The state file is finished only after the commit.

import { type Bytes, fromHex, toHex } from "../../core/bytes.ts";
import { throwIfAborted } from "../../core/errors.ts";
import type { ChunkId, DeviceId, SessionId, SnapshotId } from "../../core/ids.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { Awaitable } from "../../crypto/primitives.ts";
import type { WriterKeys } from "../../crypto/secrets.ts";
import { SESSION_KEY_BYTES, sealSessionKey } from "../../crypto/session-key.ts";
import type { Signer } from "../../crypto/signature.ts";
import { planToken, tagToken } from "../../crypto/tokens.ts";
import type { BlockEntry } from "../../wire/v4/pack.ts";
import { encodeRefs } from "../../wire/v4/refs.ts";
import { encodeSnapshotRecord, snapshotStatement } from "../../wire/v4/snapshot-record.ts";
import { type BlockRef, type StateCursor, StateEncoder, type StateTail } from "../../wire/v4/state-file.ts";
import { KIND_TREE, type SessionGrant, type VaultPort } from "../../wire/v4/vault-port.ts";
import { createChunker } from "../chunker.ts";
import type { EnginePlatform } from "../platform.ts";
import { MAX_INFO_ERRORS, type SnapshotInfo, sealSnapshotInfo } from "../snapshot-info.ts";
import type { ListCutting } from "./chunk-lists.ts";
import { ContentReader } from "./content.ts";
import { Dedup } from "./dedup.ts";
import { findWithoutSession, grantWithoutSession } from "./find-without-session.ts";
import { PackWriter } from "./pack-writer.ts";
import { Pipeline } from "./pipeline.ts";
import type { SealWorkerKeys } from "./seal-worker.ts";
import { StateMerge } from "./state-merge.ts";
import { TreeBlocks } from "./tree-blocks.ts";
import type { BackupProblem, BackupProgress, BackupSource, FinishedBlock, SealPool } from "./types.ts";

export type BackupOptions = {
  readonly vault: VaultPort;
  /** Names the run: 16 random bytes that were never used before; without it, it names itself. */
  readonly session?: SessionId | undefined;
  readonly platform: EnginePlatform;
  readonly source: BackupSource;
  readonly createPool: (keys: SealWorkerKeys) => SealPool;
  readonly writer: WriterKeys;
  readonly signer: Signer;
  readonly plan: string;
  readonly tags: readonly string[];
  readonly about: {
    readonly paths: readonly RawPath[];
    readonly host: string;
    readonly user: string;
    readonly program: string;
  };
  /** State of the last run of this plan, if there is one. */
  readonly previous: { readonly tail: StateTail; readonly cursor: StateCursor } | undefined;
  /** Takes the bytes of the new state file after its header; nothing when no state is wanted. */
  readonly writeState: ((bytes: Bytes) => void) | undefined;
  /** Read every file, changed or not. */
  readonly force: boolean;
  readonly dryRun: boolean;
  /** zstd level, 0 for none. */
  readonly level: number;
  readonly packBytes: number;
  /** Other chunk lists than everybody's: for tests. */
  readonly listCutting?: ListCutting | undefined;
  readonly progress: BackupProgress;
  readonly signal: AbortSignal | undefined;
};

export type BackupResult = {
  /** Nothing on a dry run. */
  readonly snapshot: SnapshotId | undefined;
  readonly head: { readonly seq: number; readonly id: string } | undefined;
  /** The first problems; `progress.problems` counts all. */
  readonly problems: readonly BackupProblem[];
};

export function newProgress(): BackupProgress {
  return {
    phase: "scanning",
    files: 0,
    directories: 0,
    others: 0,
    bytes: 0,
    readBytes: 0,
    newFiles: 0,
    changedFiles: 0,
    unchangedFiles: 0,
    changedWhileRead: 0,
    addedBytes: 0,
    newBytes: 0,
    problems: 0,
    expected: undefined,
    currentPath: "",
    workers: [],
  };
}

export async function backUp(options: BackupOptions): Promise<BackupResult> {
  const { vault, platform, writer, signer } = options;
  const session = options.session ?? (toHex(platform.random.bytes(16)) as SessionId);
  const plan = await planToken(writer.metaKey, options.plan);
  const head = await vault.head();
  const base = options.previous?.tail.snapshot;
  const grant = options.dryRun
    ? await grantWithoutSession(vault, base)
    : await vault.openSession({ session, device: signer.device, plan, base });
  const lease = options.dryRun ? undefined : keepLease(vault, session, grant.leaseMs);
  const sessionKey = platform.random.bytes(SESSION_KEY_BYTES);
  const pool = options.createPool({
    chunkIdKey: writer.chunkIdKey,
    chunkerKey: writer.chunkerKey,
    sessionKey,
    vaultId: fromHex(vault.vaultId),
    sessionId: fromHex(session),
    level: options.level,
  });
  let run: Run | undefined;
  try {
    const sealedKey = await sealSessionKey(sessionKey, writer.recipient);
    run = new Run(options, { session, grant, pool, sealedKey });
    const root = await run.store();
    if (options.dryRun) return { snapshot: undefined, head: undefined, problems: run.problems };
    const tags = (await Promise.all(options.tags.map((tag) => tagToken(writer.metaKey, tag)))).sort();
    const info = await sealSnapshotInfo(platform.primitives, sessionKey, vault.vaultId, session, run.info(root));
    const unsigned = {
      vault: vault.vaultId,
      device: signer.device,
      session,
      plan,
      tags,
      time: platform.clock.now(),
      base: grant.baseAccepted ? base : undefined,
      head: head.id,
      headSeq: head.seq,
      added: run.addedBytes,
      refs: encodeRefs(run.usedBlocks()),
      key: sealedKey,
      info,
    };
    const sig = await signer.sign(await snapshotStatement(unsigned));
    const record = await encodeSnapshotRecord({ ...unsigned, sig });
    const committed = await vault.commit(session, record.bytes);
    run.finishState(committed.id);
    options.progress.phase = "done";
    return { snapshot: committed.id, head: committed.head, problems: run.problems };
  } catch (error) {
    await run?.abort();
    if (!options.dryRun) await vault.closeSession(session).catch(() => undefined);
    throw error;
  } finally {
    lease?.stop();
    await pool.close();
  }
}

function keepLease(vault: VaultPort, session: SessionId, leaseMs: number): { stop(): void } {
  const timer = setInterval(
    () => {
      // A lease that could not be renewed shows when the run commits.
      vault.renewSession(session).catch(() => undefined);
    },
    Math.max(1000, leaseMs / 3),
  );
  return { stop: () => clearInterval(timer) };
}

type Opened = {
  readonly session: SessionId;
  readonly grant: SessionGrant;
  readonly pool: SealPool;
  readonly sealedKey: Bytes;
};

class Run {
  readonly #options: BackupOptions;
  readonly #dedup: Dedup;
  readonly #packs: PackWriter;
  readonly #trees: TreeBlocks;
  readonly #content: ContentReader;
  readonly #pipeline: Pipeline;
  readonly #pool: SealPool;
  readonly #state: StateEncoder | undefined;
  readonly #startedAt: number;
  readonly #rowsOfBlock = new Map<number, readonly number[]>();
  readonly #used = new Set<number>();
  #nextCounter = 0;
  readonly problems: BackupProblem[] = [];

  constructor(options: BackupOptions, { session, grant, pool, sealedKey }: Opened) {
    const { vault, platform, writer, signer, progress } = options;
    this.#options = options;
    this.#pool = pool;
    this.#startedAt = platform.clock.now();
    this.#dedup = new Dedup(
      options.dryRun ? findWithoutSession(vault, signer.device) : (ids) => vault.findChunks(session, ids),
      grant.empty,
    );
    this.#packs = new PackWriter({
      vault,
      vaultId: vault.vaultId,
      session,
      device: signer.device as DeviceId,
      sealedKey,
      signer,
      packBytes: options.packBytes,
      onTaken: () => this.#content.notify(),
      onStored: (block, blockNo) => this.#stored(block, blockNo),
      onFailure: (error) => this.#pipeline.fail(error),
    });
    const chunker = createChunker(writer.chunkerKey);
    this.#content = new ContentReader({
      pool,
      dedup: this.#dedup,
      chunker,
      signal: options.signal,
      dryRun: options.dryRun,
      queuedBytes: () => this.#packs.queuedBytes,
      newBlock: () => this.#newBlock(),
      storeList: (list) => this.#storeList(list),
      listCutting: options.listCutting,
      onRead: (bytes) => {
        progress.bytes += bytes;
        progress.readBytes += bytes;
      },
      onNewBytes: (bytes) => {
        progress.newBytes += bytes;
      },
      onFailure: (error) => this.#pipeline.fail(error),
    });
    this.#trees = new TreeBlocks({
      primitives: platform.primitives,
      chunkIdKey: writer.chunkIdKey,
      dedup: this.#dedup,
      seal: (payload, chunkIds, rows) => this.#sealTree(payload, chunkIds, rows),
      onNewBytes: (bytes) => {
        progress.newBytes += bytes;
      },
    });
    const { previous } = options;
    const usable = previous && grant.baseAccepted && !options.force;
    this.#state = options.writeState && new StateEncoder(options.writeState);
    this.#pipeline = new Pipeline({
      source: options.source,
      content: this.#content,
      trees: this.#trees,
      chunker,
      merge: usable ? new StateMerge(previous.cursor) : undefined,
      reuse: reuseOf(previous?.tail.table ?? [], new Set(grant.damagedBlocks)),
      state: this.#state,
      progress,
      onProblem: (problem) => this.#problem(problem),
      onUsed: (refs) => {
        for (const ref of refs) if (ref % 2 === 0) this.#used.add(ref / 2);
      },
      now: () => platform.clock.monotonic(),
    });
    pool.onBlock = (block) => this.#addBlock(block);
    pool.onFailure = (error) => this.#pipeline.fail(error);
  }

  get addedBytes(): number {
    return this.#packs.addedBytes;
  }

  /** Scans, reads and stores everything; gives the root's segments. */
  async store(): Promise<Bytes[]> {
    const root = await this.#pipeline.run(this.#options.signal);
    this.#options.progress.phase = "finishing";
    await this.#trees.flush();
    await this.#dedup.settled();
    if (!this.#options.dryRun) {
      await Promise.all(this.#pool.workers.map((worker) => worker.flush()));
      this.#pipeline.throwIfFailed();
      await this.#packs.finish();
    }
    throwIfAborted(this.#options.signal);
    return root;
  }

  /** Every block on which the snapshot rests, ascending. */
  usedBlocks(): number[] {
    for (const blockNo of this.#dedup.finish()) if (blockNo > 0) this.#used.add(blockNo);
    return [...this.#used].sort((a, b) => a - b);
  }

  info(root: readonly Bytes[]): SnapshotInfo {
    const { about, plan, tags, platform, progress } = this.#options;
    const { files, directories, others, bytes, newFiles, changedFiles, unchangedFiles } = progress;
    return {
      root: root as readonly ChunkId[],
      ...about,
      plan,
      tags: [...tags],
      startedAt: this.#startedAt,
      endedAt: platform.clock.now(),
      stats: { files, directories, others, bytes, newFiles, changedFiles, unchangedFiles, addedBytes: this.addedBytes },
      errors: {
        count: progress.problems,
        first: this.problems.slice(0, MAX_INFO_ERRORS).map(({ path, code }) => ({ path, reason: code })),
      },
    };
  }

  finishState(snapshot: SnapshotId): void {
    this.#state?.finish({ snapshot, table: this.#dedup.finish() });
  }

  abort(): Promise<void> {
    return this.#packs.abort();
  }

  /** Chunk lists go the way of segments: named, asked for, and put into tree blocks. */
  #storeList(list: Bytes): { id: Awaitable<Bytes>; row: number } {
    const { id, row, asked } = this.#trees.add(list);
    asked?.catch((error: unknown) => this.#pipeline.fail(error));
    return { id, row };
  }

  #newBlock(): { counter: number; row: number } {
    const counter = this.#nextCounter++;
    const row = this.#dedup.newRow();
    this.#rowsOfBlock.set(counter, [row]);
    return { counter, row };
  }

  #sealTree(payload: Bytes, chunkIds: Bytes, rows: readonly number[]): void {
    if (this.#options.dryRun) return;
    const counter = this.#nextCounter++;
    this.#rowsOfBlock.set(counter, rows);
    const worker = this.#pool.workers[counter % this.#pool.workers.length]!;
    worker.seal(KIND_TREE, counter, payload, chunkIds);
  }

  #addBlock(block: FinishedBlock): void {
    try {
      this.#packs.add(block);
      this.#options.progress.addedBytes = this.#packs.addedBytes;
    } catch (error) {
      this.#pipeline.fail(error);
    }
  }

  #stored(block: Pick<BlockEntry, "counter" | "chunkIds">, blockNo: number): void {
    this.#dedup.stored(this.#rowsOfBlock.get(block.counter) ?? [], blockNo, block.chunkIds);
    this.#rowsOfBlock.delete(block.counter);
    this.#content.notify();
  }

  #problem(problem: BackupProblem): void {
    this.#options.progress.problems++;
    if (this.problems.length < 1000) this.problems.push(problem);
  }
}

/** References of the last run as references of this one: all rows become blockNos. Nothing when a block is damaged. */
function reuseOf(
  table: readonly number[],
  damaged: ReadonlySet<number>,
): (refs: readonly BlockRef[]) => BlockRef[] | undefined {
  return (refs) => {
    const out: BlockRef[] = [];
    for (const ref of refs) {
      const blockNo = ref % 2 === 0 ? ref / 2 : (table[(ref - 1) / 2] ?? 0);
      if (blockNo === 0 || damaged.has(blockNo)) return undefined;
      out.push(2 * blockNo);
    }
    return out;
  };
}
