// When the block of a vault that was read longest ago was read. Asked for often and slow to find out, so it is remembered for a while, and
// looked for in slices.

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import type { VaultId } from "../core/ids.ts";
import type { Parts } from "./store-parts.ts";
import type { ServedVault } from "./vaults.ts";

const GOOD_FOR_MS = 3_600_000;
/** blockNos in one query. */
const SLICE = 20_000;

export class OldestRead {
  readonly #clock: Clock;
  readonly #known = new Map<VaultId, { readonly at: number; readonly oldest: Promise<number | undefined> }>();

  constructor({ clock }: Parts<"clock">) {
    this.#clock = clock;
  }

  /** undefined for a vault without blocks. */
  of(served: ServedVault): Promise<number | undefined> {
    const known = this.#known.get(served.id);
    const now = this.#clock.now();
    if (known !== undefined && now - known.at < GOOD_FOR_MS) return known.oldest;
    const oldest = find(served);
    this.#known.set(served.id, { at: now, oldest });
    oldest.catch(() => this.forget(served.id));
    return oldest;
  }

  forget(vault: VaultId): void {
    this.#known.delete(vault);
  }
}

async function find({ vault }: ServedVault): Promise<number | undefined> {
  const { database } = vault.context;
  const last = Number(database.get("SELECT value FROM meta WHERE name = 'nextBlockNo'")!.value);
  let oldest: number | undefined;
  for (let first = 1; first < last; first += SLICE) {
    const sql = "SELECT min(verifiedAt) AS at FROM blocks WHERE blockNo >= ? AND blockNo < ?";
    const at = database.get<{ at: number | null }>(sql, first, first + SLICE)!.at;
    if (at !== null && (oldest === undefined || at < oldest)) oldest = at;
    await nextTurn();
  }
  return oldest;
}
