// A vault with a folder of as many entries as a test wants, by the engine's own run: real trees in real blocks, of files that were never
// anywhere. They are empty, so that making a million of them costs seconds.

import { join } from "node:path";
import { type RawPath, rawFromText, rawJoin } from "../../src/core/raw-path.ts";
import { signerOfKey } from "../../src/crypto/signature.ts";
import { createInlinePool } from "../../src/engine/backup/inline-pool.ts";
import { backUp, newProgress } from "../../src/engine/backup/run.ts";
import type { BackupSource, ScanItem, ScannedEntry } from "../../src/engine/backup/types.ts";
import { openVault } from "../../src/vault/open-vault.ts";
import { ROOT_NAME } from "../../src/wire/v4/state-file.ts";
import { ENTRY, type EntryType } from "../../src/wire/v4/tree-types.ts";
import { MemoryDisk } from "../memory-disk.ts";
import { platform } from "../platform.ts";
import type { BackupSite } from "./backup-site.ts";

const FOLDER = "/many" as RawPath;
const BATCH = 1000;
const SECONDS = 1_700_000_000;

/** `file 0000000.txt` and so on, in the folder `many`. */
export function nameOf(number: number): string {
  return `file ${String(number).padStart(7, "0")}.txt`;
}

export async function backUpEntries({ data, vault }: BackupSite, count: number): Promise<void> {
  const { vaultId, device } = vault;
  const local = await openVault(join(data, "vaults", vaultId));
  try {
    await backUp({
      ...{ vault: local, platform, writer: device.writer, signer: await signerOfKey(device.signingKey) },
      source: sourceOf(count),
      createPool: (keys) => createInlinePool(platform, new MemoryDisk(), keys),
      ...{ plan: "many", tags: [], previous: undefined, writeState: undefined, force: false, dryRun: false },
      about: { paths: [FOLDER], host: "test", user: "", program: "test" },
      ...{ level: 1, packBytes: 32 * 2 ** 20, progress: newProgress(), signal: undefined },
    });
  } finally {
    await local.close();
  }
}

function sourceOf(count: number): BackupSource {
  return {
    async *scan() {
      yield [
        { kind: "enter", name: ROOT_NAME, path: "/" as RawPath },
        { kind: "enter", name: "many" as RawPath, path: FOLDER },
      ];
      for (let from = 0; from < count; from += BATCH) {
        yield Array.from({ length: Math.min(BATCH, count - from) }, (_, i): ScanItem => {
          const name = rawFromText(nameOf(from + i));
          return { kind: "entry", entry: entryOf(ENTRY.file, name, rawJoin(FOLDER, name), from + i) };
        });
      }
      yield [
        { kind: "leave", entry: entryOf(ENTRY.directory, "many" as RawPath, FOLDER, 0) },
        { kind: "leave", entry: entryOf(ENTRY.directory, ROOT_NAME, "/" as RawPath, 0) },
      ];
    },
    details: () => ({}),
    userName: () => undefined,
    groupName: () => undefined,
  };
}

function entryOf(type: EntryType, name: RawPath, path: RawPath, number: number): ScannedEntry {
  const time = { mtimeSeconds: SECONDS + number, mtimeNanos: 0, ctimeSeconds: SECONDS + number, ctimeNanos: 0 };
  return {
    ...{ type, name, path, mode: 0o644, uid: 0, gid: 0, links: 1, size: 0, ...time },
    ...{ birthSeconds: undefined, birthNanos: undefined, inode: number, device: 0 },
    ...{ rdevMajor: 0, rdevMinor: 0, allocated: 0 },
  };
}
