// Every case, in the order of the page.
import type { Case } from "../case.ts";
import { firstBackupSourceTree, random2g, usrLib } from "./first-backup.ts";
import { diskImageChanged, unchangedSecond } from "./later-backup.ts";
import { memory100k, memoryFlat } from "./memory.ts";
import { restoreSourceTree } from "./restore.ts";
import { serverFirstBackup, serverLoad, serverRandom2g, serverRestore, serverUnchanged } from "./server.ts";
import { startupSnapshots, startupVersion } from "./startup.ts";
import { v3Gateway, v3GatewayHalfOpen, v3GatewayLargest, v3GatewayPlain } from "./v3-gateway.ts";
import { webBackup, webFirstPaint, webMillion, webRestore } from "./web.ts";

export const CASES: readonly Case[] = [
  firstBackupSourceTree,
  unchangedSecond,
  random2g,
  diskImageChanged,
  usrLib,
  restoreSourceTree,
  memory100k,
  memoryFlat,
  startupVersion,
  startupSnapshots,
  serverFirstBackup,
  serverUnchanged,
  serverRandom2g,
  serverRestore,
  serverLoad,
  v3Gateway,
  v3GatewayPlain,
  v3GatewayLargest,
  v3GatewayHalfOpen,
  webBackup,
  webRestore,
  webMillion,
  webFirstPaint,
];
