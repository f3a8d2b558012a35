// Builds snapshots in a MemoryVaultPort from a few lines, right or wrong on purpose: what a test leaves out gets a harmless value.

import { type Bytes, ByteWriter, fromHex, toHex, utf8 } from "../src/core/bytes.ts";
import type { ChunkId, NameToken, SessionId, VaultId } from "../src/core/ids.ts";
import { type RawPath, rawFromText } from "../src/core/raw-path.ts";
import { generateSecrets, type ReaderSecrets } from "../src/crypto/secrets.ts";
import { sealSessionKey } from "../src/crypto/session-key.ts";
import { generateDeviceKey, importSigner, type Signer } from "../src/crypto/signature.ts";
import { planToken } from "../src/crypto/tokens.ts";
import { blockPayload, sealBlock } from "../src/engine/block.ts";
import { openReader, type VaultReader } from "../src/engine/reader/reader.ts";
import { sealSnapshotInfo } from "../src/engine/snapshot-info.ts";
import { encodeChunkList } from "../src/wire/v4/chunk-list.ts";
import { encodeRefs } from "../src/wire/v4/refs.ts";
import { encodeSnapshotRecord, snapshotStatement } from "../src/wire/v4/snapshot-record.ts";
import { encodeEntry, encodeSegment } from "../src/wire/v4/tree.ts";
import { ENTRY, type TreeEntry } from "../src/wire/v4/tree-types.ts";
import { type BlockKind, KIND_DATA, KIND_TREE, type SnapshotRow } from "../src/wire/v4/vault-port.ts";
import { MemoryVaultPort } from "./memory-vault-port.ts";
import { platform } from "./platform.ts";

/** A directory's children by name. Text is a file's content; a string that starts with "->" is a symbolic link. */
export type Spec = string | Uint8Array | Node | { readonly [name: string]: Spec };
/** One entry in full. `chunks` overrides how content is cut. */
export class Node {
  readonly fields: Partial<TreeEntry>;
  readonly content: Uint8Array | readonly Uint8Array[] | undefined;
  readonly children: Readonly<Record<string, Spec>> | undefined;
  constructor(
    fields: Partial<TreeEntry>,
    content?: Uint8Array | readonly Uint8Array[],
    children?: Readonly<Record<string, Spec>>,
  ) {
    this.fields = fields;
    this.content = content;
    this.children = children;
  }
}

export type SnapshotOptions = {
  readonly paths?: readonly string[];
  readonly plan?: string;
  readonly time?: number;
  /** Entries in one segment; a directory of more gets several. */
  readonly perSegment?: number;
  /** Chunks in one block. */
  readonly perBlock?: number;
  readonly cut?: number;
  /** Chunks in one chunk list: a file of more is indirect. */
  readonly perList?: number;
  /** What stands in the vault instead of this list. */
  readonly falsify?: (list: Bytes, index: number) => Bytes;
  readonly owners?: { users: Map<number, string>; groups: Map<number, string> };
  readonly refs?: (blockNos: number[]) => number[];
};

export const TIME = 1_700_000_000;
// Restoring as nobody in particular: the owner is whoever runs the test. A browser has none.
const OWN_UID = globalThis.process?.getuid?.() ?? 0;
const OWN_GID = globalThis.process?.getgid?.() ?? 0;

export class Fixture {
  readonly vault: MemoryVaultPort;
  readonly secrets: ReaderSecrets;
  readonly signer: Signer;

  constructor(vault: MemoryVaultPort, secrets: ReaderSecrets, signer: Signer) {
    this.vault = vault;
    this.secrets = secrets;
    this.signer = signer;
  }

  reader(cacheBytes?: number): VaultReader {
    return openReader({ vault: this.vault, secrets: this.secrets, platform, cacheBytes });
  }

  snapshot(root: Readonly<Record<string, Spec>>, options: SnapshotOptions = {}): Promise<SnapshotRow> {
    return new SnapshotBuilder(this, options).build(root);
  }
}

export async function makeFixture(): Promise<Fixture> {
  const secrets = await generateSecrets(platform.random);
  const key = await generateDeviceKey();
  const vault = new MemoryVaultPort(toHex(platform.random.bytes(16)) as VaultId);
  vault.deviceRows.push({
    device: key.device,
    name: "ann-laptop",
    publicKey: key.publicKey,
    revoked: false,
    group: "",
  });
  return new Fixture(vault, secrets, await importSigner(key.pkcs8));
}

class SnapshotBuilder {
  readonly #fixture: Fixture;
  readonly #options: SnapshotOptions;
  readonly #session = toHex(platform.random.bytes(16)) as SessionId;
  readonly #key = platform.random.bytes(32);
  readonly #refs = new Set<number>();
  readonly #pending: Record<BlockKind, Map<string, { id: ChunkId; bytes: Uint8Array }>> = {
    1: new Map(),
    2: new Map(),
  };
  #counter = 0;

  constructor(fixture: Fixture, options: SnapshotOptions) {
    this.#fixture = fixture;
    this.#options = options;
  }

  async build(spec: Readonly<Record<string, Spec>>): Promise<SnapshotRow> {
    const { vault, secrets, signer } = this.#fixture;
    const sealedKey = await sealSessionKey(this.#key, secrets.writer.recipient);
    vault.sessionKeys.set(this.#session, sealedKey);
    const root = await this.#directory(spec);
    await this.#flush(KIND_DATA);
    await this.#flush(KIND_TREE);
    const { plan = "home", paths = ["/"], time = TIME * 1000 } = this.#options;
    const info = await sealSnapshotInfo(platform.primitives, this.#key, vault.vaultId, this.#session, {
      root: Array.from({ length: root.length / 32 }, (_, i) => root.slice(i * 32, i * 32 + 32) as ChunkId),
      paths: paths.map(rawFromText),
      host: "h",
      user: "u",
      plan,
      tags: [],
      startedAt: time,
      endedAt: time,
      program: "test",
      stats: {
        files: 0,
        directories: 0,
        others: 0,
        bytes: 0,
        newFiles: 0,
        changedFiles: 0,
        unchangedFiles: 0,
        addedBytes: 0,
      },
      errors: { count: 0, first: [] },
    });
    const blockNos = [...this.#refs].sort((a, b) => a - b);
    const body = {
      vault: vault.vaultId,
      device: signer.device,
      session: this.#session,
      plan: (await planToken(secrets.writer.metaKey, plan)) as NameToken,
      tags: [],
      time,
      base: undefined,
      head: "00".repeat(32),
      headSeq: 0,
      added: 0,
      refs: encodeRefs(this.#options.refs?.(blockNos) ?? blockNos),
      key: sealedKey,
      info,
    };
    const sig = await signer.sign(await snapshotStatement(body));
    const { bytes } = await encodeSnapshotRecord({ ...body, sig });
    return vault.addRecord(bytes);
  }

  async #directory(children: Readonly<Record<string, Spec>>): Promise<Bytes> {
    // Deep trees would exhaust the stack if each level began inside the one above.
    await undefined;
    const entries: TreeEntry[] = [];
    for (const [name, spec] of Object.entries(children)) entries.push(await this.#entry(rawFromText(name), spec));
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    const size = this.#options.perSegment ?? 1000;
    const ids: Uint8Array[] = [];
    for (let at = 0; at === 0 || at < entries.length; at += size) {
      ids.push(await this.#chunk(KIND_TREE, this.#segment(entries.slice(at, at + size))));
    }
    return join(ids);
  }

  #segment(entries: readonly TreeEntry[]): Bytes {
    const writer = new ByteWriter();
    for (const entry of entries) encodeEntry(writer, entry);
    const owners = this.#options.owners ?? { users: new Map(), groups: new Map() };
    return encodeSegment(owners, entries.length, writer.take());
  }

  async #entry(name: RawPath, spec: Spec): Promise<TreeEntry> {
    const time = { mtimeSeconds: TIME, mtimeNanos: 123_456_789, ctimeSeconds: TIME, ctimeNanos: 1 };
    const base = { name, mode: 0o644, uid: OWN_UID, gid: OWN_GID, ...time };
    if (typeof spec === "string" && spec.startsWith("->")) {
      return { ...base, type: ENTRY.symlink, mode: 0o777, linkTarget: rawFromText(spec.slice(2)) };
    }
    if (typeof spec === "string") return this.#file(base, utf8(spec));
    if (spec instanceof Uint8Array) return this.#file(base, spec);
    if (spec instanceof Node) {
      if (spec.children) {
        const chunkIds = await this.#directory(spec.children);
        return { ...base, mode: 0o755, type: ENTRY.directory, chunkIds, ...spec.fields };
      }
      if (spec.content) return { ...(await this.#file(base, spec.content)), ...spec.fields };
      return { ...base, type: ENTRY.file, size: 0, chunkIds: new Uint8Array(), chunkLengths: [], ...spec.fields };
    }
    const children = spec as Readonly<Record<string, Spec>>;
    return { ...base, mode: 0o755, type: ENTRY.directory, chunkIds: await this.#directory(children) };
  }

  async #file(base: Omit<TreeEntry, "type">, content: Uint8Array | readonly Uint8Array[]): Promise<TreeEntry> {
    const chunks = content instanceof Uint8Array ? this.#cut(content) : content;
    const ids: Uint8Array[] = [];
    for (const chunk of chunks) ids.push(await this.#chunk(KIND_DATA, chunk));
    const chunkLengths = chunks.map(({ length }) => length);
    const size = sumOf(chunkLengths);
    const { perList = ids.length } = this.#options;
    if (ids.length > perList) return { ...base, type: ENTRY.file, size, ...(await this.#lists(ids, chunkLengths)) };
    return { ...base, type: ENTRY.file, size, chunkIds: join(ids), chunkLengths };
  }

  async #lists(ids: readonly Uint8Array[], chunkLengths: readonly number[]): Promise<Partial<TreeEntry>> {
    const { perList = 1, falsify = (list) => list } = this.#options;
    const listIds: Uint8Array[] = [];
    const covers: number[] = [];
    for (let at = 0; at < ids.length; at += perList) {
      const lengths = chunkLengths.slice(at, at + perList);
      const list = encodeChunkList({ chunkIds: join(ids.slice(at, at + perList)), lengths });
      listIds.push(await this.#chunk(KIND_TREE, falsify(list, listIds.length)));
      covers.push(sumOf(lengths));
    }
    return { indirect: true, chunkIds: join(listIds), chunkLengths: covers };
  }

  #cut(content: Uint8Array): Uint8Array[] {
    const size = this.#options.cut ?? 128 * 1024;
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < content.length; at += size) chunks.push(content.subarray(at, at + size));
    return chunks;
  }

  async #chunk(kind: BlockKind, bytes: Uint8Array): Promise<ChunkId> {
    const { vault, secrets } = this.#fixture;
    const prefix = Uint8Array.of(kind);
    const id = (await platform.primitives.hmacSha256(secrets.writer.chunkIdKey, prefix, bytes)) as ChunkId;
    const known = vault.index.get(toHex(id));
    if (known !== undefined) this.#refs.add(known);
    else this.#pending[kind].set(toHex(id), { id, bytes });
    if (this.#pending[kind].size >= (this.#options.perBlock ?? 64)) await this.#flush(kind);
    return id;
  }

  async #flush(kind: BlockKind): Promise<void> {
    const chunks = [...this.#pending[kind].values()];
    this.#pending[kind].clear();
    if (chunks.length === 0) return;
    const { vault, signer } = this.#fixture;
    const counter = this.#counter++;
    const context = { vaultId: fromHex(vault.vaultId), sessionId: fromHex(this.#session), kind, counter };
    const payload = blockPayload(chunks.map(({ bytes }) => bytes));
    const level = payload.length > 2 ** 18 ? 1 : 0;
    const { sealed, blockId } = await sealBlock(platform, this.#key, context, payload, level);
    const where = { kind, session: this.#session, device: signer.device, counter, blockId };
    this.#refs.add(
      vault.addBlock(
        where,
        sealed,
        chunks.map(({ id }) => id),
      ),
    );
  }
}

function sumOf(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}

function join(ids: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(ids.length * 32);
  ids.forEach((id, i) => {
    out.set(id, i * 32);
  });
  return out;
}
