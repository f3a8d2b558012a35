// Fetches blocks so that one that cannot be read does not take the others with it.

import { AppError, type ErrorCode, isAppError } from "../../core/errors.ts";
import type { BlockLocation, VaultPort } from "../../wire/v4/vault-port.ts";

/** Sealed bytes of a block, or why they cannot be had. */
export type Fetched = { readonly block: BlockLocation } & (
  | { readonly sealed: Uint8Array<ArrayBuffer>; readonly error?: undefined }
  | { readonly sealed?: undefined; readonly error: AppError }
);

/** As they lie in packs, so that reading goes forward. */
export function packOrder(a: BlockLocation, b: BlockLocation): number {
  return a.pack < b.pack ? -1 : a.pack > b.pack ? 1 : a.offset - b.offset;
}

/** What one block may have; everything else is of the vault, the server or the network, and the next block would meet it too. */
const OF_ONE_BLOCK: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["block_corrupt", "pack_corrupt", "io", "internal"]);

/** One answer for each block, in the order asked. Throws only what trying the next block cannot mend (`interrupted`, a lost server). */
export async function* fetchEach(
  vault: Pick<VaultPort, "fetchBlocks">,
  blocks: readonly BlockLocation[],
): AsyncGenerator<Fetched> {
  let next = 0;
  while (next < blocks.length) {
    try {
      for await (const { sealed } of vault.fetchBlocks(blocks.slice(next))) {
        yield { block: blocks[next]!, sealed };
        next++;
      }
      if (next < blocks.length) throw new AppError("internal", { context: { detail: "the vault left out a block" } });
    } catch (error) {
      if (!isAppError(error) || !OF_ONE_BLOCK.has(error.code)) throw error;
      yield { block: blocks[next]!, error };
      next++;
    }
  }
}
