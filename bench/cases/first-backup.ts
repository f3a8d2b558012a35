// First backups into an empty vault.
import { type Case, PEAK_LIMIT } from "../case.ts";
import { prepareRandomFile, prepareSourceTree, RANDOM_FILE, SOURCE_TREE, USR_LIB } from "../data.ts";
import { warm } from "../folders.ts";
import { borg, copy, cyberbackup, firstBackup, restic, tarZstd } from "../peers.ts";

const TREE = "first-backup-source-tree";
const RANDOM = "random-2g";
const LIB = "usr-lib";

export const firstBackupSourceTree: Case = {
  name: TREE,
  title: "First backup of the source tree (78,579 files, 1.3 GB)",
  prepare: prepareSourceTree,
  contenders: [
    firstBackup(cyberbackup(TREE), SOURCE_TREE),
    firstBackup(restic(TREE), SOURCE_TREE),
    firstBackup(borg(TREE), SOURCE_TREE),
    tarZstd(TREE, SOURCE_TREE),
  ],
  targets: [
    { quantity: "wall", against: "restic", atMost: 0.5 },
    { quantity: "stored", against: "restic", atMost: 0.8 },
    { quantity: "wall", against: "tar | zstd -3 -T2", atMost: 1.3 },
    PEAK_LIMIT,
  ],
};

export const random2g: Case = {
  name: RANDOM,
  title: "First backup of 2 GiB of random bytes in one file",
  prepare: prepareRandomFile,
  contenders: [
    firstBackup(cyberbackup(RANDOM), RANDOM_FILE),
    firstBackup(restic(RANDOM), RANDOM_FILE),
    firstBackup(borg(RANDOM), RANDOM_FILE),
    copy(RANDOM, RANDOM_FILE),
  ],
  targets: [{ quantity: "wall", against: "restic", atMost: 0.75 }, PEAK_LIMIT],
};

export const usrLib: Case = {
  name: LIB,
  title: "First backup of /usr/lib",
  prepare: () => warm(USR_LIB),
  contenders: [
    firstBackup(cyberbackup(LIB), USR_LIB),
    firstBackup(restic(LIB), USR_LIB),
    firstBackup(borg(LIB), USR_LIB),
    tarZstd(LIB, USR_LIB),
  ],
  targets: [PEAK_LIMIT],
};
