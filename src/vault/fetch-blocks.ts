// Gives the sealed bytes of blocks, a few reads ahead of whoever consumes them. Bytes that cannot be read come short or empty:
// the reader opens every block, so it notices, and can go on with the others.

import type { Bytes } from "../core/bytes.ts";
import type { BlockLocation } from "../wire/v4/vault-port.ts";
import { locateBlock } from "./block-index.ts";
import type { VaultContext } from "./context.ts";
import { packKey } from "./object-keys.ts";

const READ_AHEAD = 4;

export type FetchedBlock = { readonly block: BlockLocation; readonly sealed: Bytes };

export async function* fetchBlocks(
  vault: VaultContext,
  blocks: readonly BlockLocation[],
): AsyncGenerator<FetchedBlock> {
  const pending: Promise<FetchedBlock>[] = [];
  let next = 0;
  const fill = (): void => {
    while (pending.length < READ_AHEAD && next < blocks.length) pending.push(fetchOne(vault, blocks[next++]!));
  };
  for (fill(); pending.length > 0; fill()) yield await pending.shift()!;
}

async function fetchOne(vault: VaultContext, block: BlockLocation): Promise<FetchedBlock> {
  const sealed = await read(vault, block);
  if (sealed.length === block.length) return { block, sealed };
  // Compaction may have moved the block since it was located.
  const now = locateBlock(vault.database, block.blockNo);
  if (now === undefined || now.pack === block.pack) return { block, sealed };
  return { block, sealed: await read(vault, now) };
}

async function read(vault: VaultContext, { pack, offset, length, blockNo }: BlockLocation): Promise<Bytes> {
  try {
    return (await vault.store.getRange(packKey(pack), offset, length)) ?? new Uint8Array();
  } catch (error) {
    vault.logger.warn("a block cannot be read", { blockNo, error: error as Error });
    return new Uint8Array();
  }
}
