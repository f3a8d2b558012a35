// What a schedule plays in: one vault on a disk in memory, up to two processes that have it open, a clock that moves by steps only, and
// crashes. A process dies at any of its operations: the store or the index stops there, and what it left is what the next finds.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bytes, toHex } from "../../src/core/bytes.ts";
import { AppError } from "../../src/core/errors.ts";
import type { VaultId } from "../../src/core/ids.ts";
import type { Signer } from "../../src/crypto/signature.ts";
import { type FaultCounter, faultStore } from "../../src/storage/fault-store.ts";
import { memoryDisk, memoryStore } from "../../src/storage/memory-store.ts";
import type { ObjectStore } from "../../src/storage/object-store.ts";
import { vaultAdmin } from "../../src/vault/admin.ts";
import type { Database } from "../../src/vault/database.ts";
import type { LocalVault } from "../../src/vault/local-vault.ts";
import { createVault, openVault } from "../../src/vault/open-vault.ts";
import type { VaultAdminPort } from "../../src/wire/v4/admin-port.ts";
import { encodeVaultRecord } from "../../src/wire/v4/vault-record.ts";
import {
  deviceAdd,
  keyslotAdd,
  type Prng,
  prng,
  START,
  signed,
  type TestDisk,
  testClock,
  type World,
} from "../vault/kit.ts";
import { seededSigner } from "./prompt-crypto.ts";
import { Turns } from "./turns.ts";

export const DEVICES = 3;

/** A store and index that stop once `breakAfter` operations more are done. */
export type Breaker = FaultCounter & { breakAfter(operations: number): void };

export type Process = {
  readonly id: number;
  readonly vault: LocalVault;
  readonly admin: VaultAdminPort;
  readonly breaker: Breaker;
};

/** An empty vault with its devices, to be copied for each schedule. */
export type Template = {
  readonly objects: ReadonlyMap<string, Bytes>;
  readonly index: Uint8Array;
  readonly vaultId: VaultId;
  readonly devices: readonly Signer[];
  readonly folder: string;
};

export async function makeTemplate(): Promise<Template> {
  const folder = mkdtempSync(join(fastFolder(), "cb-model-"));
  const random = prng(4);
  const vaultId = toHex(random.bytes(16)) as VaultId;
  const devices = Array.from({ length: DEVICES }, (_, i) => seededSigner(i));
  const record = await encodeVaultRecord({ vault: vaultId, createdAt: START, chunker: 1 });
  const keyslotFile = random.bytes(100);
  const disk = memoryDisk();
  const indexPath = join(folder, "template.db");
  const statements = await Promise.all(
    devices.map((device, i) => signed(vaultId, device, deviceAdd(device, `device ${i}`))),
  );
  statements.push(await signed(vaultId, devices[0]!, keyslotAdd(keyslotFile, "first")));
  const contents = { record: record.bytes, statements, keyslotFiles: [keyslotFile] };
  await (await createVault({ store: memoryStore(disk), indexPath }, contents, { clock: testClock() })).close();
  return { objects: disk.objects, index: readFileSync(indexPath), vaultId, devices, folder };
}

/** Fsync is what most of a small transaction costs, and no power is cut here. */
function fastFolder(): string {
  try {
    const probe = mkdtempSync("/dev/shm/cb-probe-");
    rmSync(probe, { recursive: true });
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
}

export class Stage {
  readonly turns = new Turns();
  readonly clock = testClock();
  readonly random: Prng;
  readonly vaultId: VaultId;
  readonly devices: readonly Signer[];
  readonly disk: TestDisk;
  readonly processes: (Process | undefined)[] = [undefined, undefined];
  /** Crashes so far. */
  crashes = 0;
  readonly #folder: string;
  #opened = 0;
  /** Locks whose holders died: all processes have one pid here. */
  readonly staleLocks = new Set<string>();

  constructor(template: Template, seed: number) {
    this.random = prng(seed);
    this.vaultId = template.vaultId;
    this.devices = template.devices;
    this.#folder = join(template.folder, String(seed));
    mkdirSync(this.#folder);
    const indexPath = join(this.#folder, "index.db");
    writeFileSync(indexPath, template.index);
    const objects = new Map(template.objects);
    this.disk = {
      objects,
      tmp: new Set(),
      indexPath,
      remove: () => rmSync(this.#folder, { recursive: true, force: true }),
    };
  }

  /** As tests/vault/kit.ts wants it: a device's view of the vault. */
  viewOf(device: number, random: Prng): World {
    const { clock, disk, vaultId, devices } = this;
    const open = () => Promise.reject(new Error("open processes with process()"));
    return { clock, disk, vaultId, random, device: devices[device]!, keyslotFile: new Uint8Array(), open };
  }

  async process(slot: number, mode: "clean" | "torn" = "clean"): Promise<Process> {
    const open = this.processes[slot];
    if (open !== undefined) return open;
    const breaker = newBreaker();
    const inner = faultStore(memoryStore(this.disk), breaker, { mode });
    const vault = await openVault(
      { store: gatedStore(inner, this.turns), indexPath: this.disk.indexPath },
      { clock: this.clock, beforeCommit: () => breaker.step(), flush: () => this.turns.gate() },
    );
    const process = { id: ++this.#opened, vault, admin: vaultAdmin(vault), breaker };
    this.processes[slot] = process;
    this.#clearLocks();
    return process;
  }

  /** Takes processes away that have stopped. */
  async buryTheDead(): Promise<void> {
    for (const [slot, process] of this.processes.entries()) {
      if (process?.breaker.isStopped) await this.kill(slot);
    }
  }

  async kill(slot: number): Promise<void> {
    const process = this.processes[slot];
    if (process === undefined) return;
    process.breaker.breakAfter(0);
    await this.turns.stop(process.id, stopped());
    await process.vault.close();
    this.processes[slot] = undefined;
    this.crashes++;
    this.#clearLocks();
  }

  /** Ends a process as a server does that is told to. */
  async close(slot: number): Promise<void> {
    const process = this.processes[slot];
    if (process === undefined) return;
    await this.turns.drain(process.id);
    if (process.breaker.isStopped) return this.kill(slot);
    await process.vault.close();
    this.processes[slot] = undefined;
  }

  /** Any index that is open; undefined while no process is. */
  database(): Database | undefined {
    return this.processes.find((process) => process !== undefined)?.vault.context.database;
  }

  async end(): Promise<void> {
    for (const process of this.processes) process?.vault.context.database.close();
    this.disk.remove();
  }

  #clearLocks(): void {
    const database = this.database();
    if (database === undefined) return;
    for (const name of this.staleLocks) database.run("DELETE FROM locks WHERE name = ?", name);
    this.staleLocks.clear();
  }
}

function stopped(): AppError {
  return new AppError("io", { context: { path: "the vault", detail: "The process has died." } });
}

function newBreaker(): Breaker {
  let operations = 0;
  let limit = Number.POSITIVE_INFINITY;
  let isStopped = false;
  const requireAlive = (): void => {
    if (isStopped) throw stopped();
  };
  return {
    get operations() {
      return operations;
    },
    get isStopped() {
      return isStopped;
    },
    step() {
      requireAlive();
      if (operations >= limit) isStopped = true;
      requireAlive();
      operations++;
    },
    requireAlive,
    breakAfter(more) {
      limit = operations + more;
      if (more === 0) isStopped = true;
    },
  };
}

/** Each call waits for its turn before it does anything. */
function gatedStore(inner: ObjectStore, turns: Turns): ObjectStore {
  const gated =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      await turns.gate();
      return call(...args);
    };
  return {
    put: gated(inner.put),
    create: gated(async () => {
      const writer = await inner.create();
      return { write: gated(writer.write), commit: gated(writer.commit), abort: writer.abort };
    }),
    get: gated(inner.get),
    getRange: gated(inner.getRange),
    size: gated(inner.size),
    async *list(prefix) {
      await turns.gate();
      yield* inner.list(prefix);
    },
    remove: gated(inner.remove),
    sweep: gated(inner.sweep),
    close: inner.close,
  };
}
