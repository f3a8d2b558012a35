// Restoring into an empty folder.
import { type Case, PEAK_LIMIT } from "../case.ts";
import { prepareSourceTree, SOURCE_TREE } from "../data.ts";
import { copy, cyberbackup, restic, restored } from "../peers.ts";

const NAME = "restore-source-tree";

export const restoreSourceTree: Case = {
  name: NAME,
  title: "Restore of the source tree into an empty folder",
  prepare: prepareSourceTree,
  contenders: [restored(cyberbackup(NAME), SOURCE_TREE), restored(restic(NAME), SOURCE_TREE), copy(NAME, SOURCE_TREE)],
  targets: [
    { quantity: "wall", against: "restic", atMost: 0.5 },
    { quantity: "wall", against: "cp -r", atMost: 1.5 },
    PEAK_LIMIT,
  ],
};
