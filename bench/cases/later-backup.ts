// Backups into a vault that already holds an earlier state.
import { type Case, PEAK_LIMIT } from "../case.ts";
import { changeDiskImage, DISK_IMAGE, prepareDiskImage, prepareSourceTree, SOURCE_TREE } from "../data.ts";
import { borg, cyberbackup, findList, laterBackup, restic } from "../peers.ts";

const UNCHANGED = "unchanged-second";
const IMAGE = "disk-image-changed";

export const unchangedSecond: Case = {
  name: UNCHANGED,
  title: "Second backup of the source tree, nothing changed",
  prepare: prepareSourceTree,
  contenders: [
    laterBackup(cyberbackup(UNCHANGED), SOURCE_TREE),
    laterBackup(restic(UNCHANGED), SOURCE_TREE),
    laterBackup(borg(UNCHANGED), SOURCE_TREE),
    findList(SOURCE_TREE),
  ],
  targets: [{ quantity: "wall", against: "restic", atMost: 0.33 }, PEAK_LIMIT],
};

export const diskImageChanged: Case = {
  name: IMAGE,
  title: "A 4 GiB disk image, half of it empty, 1 % changed since the last backup",
  prepare: prepareDiskImage,
  beforeRound: changeDiskImage,
  contenders: [
    laterBackup(cyberbackup(IMAGE), DISK_IMAGE),
    laterBackup(restic(IMAGE), DISK_IMAGE),
    laterBackup(borg(IMAGE), DISK_IMAGE),
  ],
  targets: [PEAK_LIMIT],
};
