// Stands in for the package koffi inside the single executable: its native library is an asset, which the system can only load from a
// file. That file is in a folder that only this user can open, and is gone again as soon as it is loaded.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getAssetKeys, getRawAsset } from "node:sea";

let native;

function loaded() {
  if (native !== undefined) return native;
  if (!getAssetKeys().includes("koffi.node")) throw new Error("koffi is not in this executable");
  const folder = mkdtempSync(join(tmpdir(), "cyberbackup-native-"));
  try {
    const path = join(folder, "koffi.node");
    writeFileSync(path, new Uint8Array(getRawAsset("koffi.node")), { mode: 0o700 });
    const module = { exports: {} };
    process.dlopen(module, path);
    native = module.exports;
    return native;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export default {
  load: (...args) => loaded().load(...args),
  errno: (...args) => loaded().errno(...args),
};
