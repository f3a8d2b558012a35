// What unlocking costs: one scrypt with the work factor that stands in the vault's own keyslot (docs/format.md, "Keyslots").
import { scryptSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

/** Milliseconds of one key derivation, as `snapshots` does it once. */
export function unlockMs(vault: string): number {
  const N = 2 ** workFactor(vault);
  const start = performance.now();
  scryptSync("only for measuring", Buffer.alloc(16), 32, { N, r: 8, p: 1, maxmem: 2 * 128 * 8 * N });
  return performance.now() - start;
}

function workFactor(vault: string): number {
  const folder = join(vault, "keys");
  for (const name of readdirSync(folder)) {
    const stanza = /^-> scrypt \S+ (\d+)$/m.exec(readFileSync(join(folder, name), "latin1"));
    if (stanza !== null) return Number(stanza[1]);
  }
  throw new Error(`no keyslot in ${folder} is for a passphrase`);
}
