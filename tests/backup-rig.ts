// A disk, a vault and a device, all in memory, and runs of the engine's backup from one to the other. Runs in Node and in browsers.

import { type Bytes, concatBytes, toHex } from "../src/core/bytes.ts";
import type { VaultId } from "../src/core/ids.ts";
import { type RawPath, rawFromText } from "../src/core/raw-path.ts";
import { generateSecrets, type ReaderSecrets } from "../src/crypto/secrets.ts";
import { generateDeviceKey, importSigner, type Signer } from "../src/crypto/signature.ts";
import { createInlinePool } from "../src/engine/backup/inline-pool.ts";
import { type BackupOptions, type BackupResult, backUp, newProgress } from "../src/engine/backup/run.ts";
import type { BackupProgress } from "../src/engine/backup/types.ts";
import { readFile } from "../src/engine/reader/file-content.ts";
import { openReader, type VaultReader } from "../src/engine/reader/reader.ts";
import { resolveSnapshot } from "../src/engine/reader/resolve.ts";
import { rootOf } from "../src/engine/reader/search.ts";
import { walkTree } from "../src/engine/reader/walk.ts";
import { ENTRY, type OwnerNames, type TreeEntry } from "../src/wire/v4/tree-types.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { MemoryVault } from "./memory-vault.ts";
import { platform } from "./platform.ts";
import { openStateBytes, stateSink } from "./state-bytes.ts";

export type RigRun = BackupResult & { readonly progress: BackupProgress; readonly opened: readonly RawPath[] };
export type ReadBack = { readonly entry: TreeEntry; readonly owners: OwnerNames; readonly content: Bytes | undefined };

/** Small, so that a run of some megabytes has many packs. */
const PACK_BYTES = 2 ** 20;

export class BackupRig {
  readonly disk = new MemoryDisk();
  readonly vault: MemoryVault;
  readonly secrets: ReaderSecrets;
  readonly signer: Signer;
  /** State of the last run that was committed. */
  state: Uint8Array | undefined;

  constructor(vault: MemoryVault, secrets: ReaderSecrets, signer: Signer) {
    this.vault = vault;
    this.secrets = secrets;
    this.signer = signer;
  }

  async run(options: Partial<BackupOptions> = {}): Promise<RigRun> {
    this.disk.opened = [];
    const progress = newProgress();
    const sink = stateSink();
    const result = await backUp({
      vault: this.vault,
      platform,
      source: this.disk,
      createPool: (keys) => createInlinePool(platform, this.disk, keys),
      writer: this.secrets.writer,
      signer: this.signer,
      plan: "home",
      tags: ["nightly", "a"],
      about: { paths: [rawFromText("/")], host: "h", user: "u", program: "test" },
      previous: this.state && openStateBytes(this.state),
      writeState: options.dryRun ? undefined : sink.emit,
      force: false,
      dryRun: false,
      level: 1,
      packBytes: PACK_BYTES,
      progress,
      signal: undefined,
      ...options,
    });
    if (!options.dryRun) this.state = sink.take();
    return { ...result, progress, opened: this.disk.opened };
  }

  reader(): VaultReader {
    return openReader({ vault: this.vault, secrets: this.secrets, platform });
  }

  /** All of a snapshot but its root, by path. */
  async readBack(expression = "latest", whole = this.reader()): Promise<Map<RawPath, ReadBack>> {
    const found = new Map<RawPath, ReadBack>();
    const snapshot = await resolveSnapshot(whole, expression);
    const reader = whole.of(snapshot);
    for await (const step of walkTree(reader, rootOf(snapshot))) {
      const { kind, path, entry, owners, error } = step;
      if (error) throw error;
      if (kind === "leave" || path === "/") continue;
      const content = entry.type === ENTRY.file ? await contentOf(reader, path, entry) : undefined;
      found.set(path, { entry, owners, content });
    }
    return found;
  }
}

export async function makeRig(): Promise<BackupRig> {
  const key = await generateDeviceKey();
  const device = { device: key.device, name: "ann-laptop", publicKey: key.publicKey, revoked: false, group: "" };
  const vault = new MemoryVault(toHex(platform.random.bytes(16)) as VaultId, device);
  return new BackupRig(vault, await generateSecrets(platform.random), await importSigner(key.pkcs8));
}

async function contentOf(reader: VaultReader, path: RawPath, entry: TreeEntry): Promise<Bytes> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readFile(reader, { path, entry })) pieces.push(piece.slice());
  return concatBytes(pieces);
}
