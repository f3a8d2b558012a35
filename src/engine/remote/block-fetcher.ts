// Fetches sealed blocks over a network: several calls are under way while the first one's blocks are used, each for so few bytes that
// memory stays flat. A call that is cut off goes on after its last whole block.

import type { Bytes } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import { BlockStreamReader } from "../../wire/v4/api/block-stream.ts";
import { API_LIMITS, DEVICE_ROUTES } from "../../wire/v4/api/device-routes.ts";
import type { BlockLocation } from "../../wire/v4/vault-port.ts";
import type { ApiClient } from "./api-client.ts";
import { answerInvalid } from "./exchange.ts";

/** About two blocks a call. */
export const CALL_BYTES = 4 * 2 ** 20;
/** What a read holds beyond what its consumer does. */
const AHEAD_BYTES = 16 * 2 ** 20;

type Fetched = { readonly block: BlockLocation; readonly sealed: Bytes };

/** In the order asked. A block that cannot be read comes empty: whoever opens it notices. */
export async function* fetchBlocks(
  client: ApiClient,
  vault: VaultId,
  blocks: readonly BlockLocation[],
  { signal, callBytes }: { readonly signal: AbortSignal | undefined; readonly callBytes: number },
): AsyncGenerator<Fetched> {
  const left = new AbortController();
  const either = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
  const groups = groupsOf(blocks, callBytes);
  const pending: Promise<Bytes[]>[] = [];
  let next = 0;
  const fill = (): void => {
    while (pending.length < AHEAD_BYTES / callBytes && next < groups.length) {
      const group = fetchGroup(client, vault, groups[next++]!, either);
      // Awaited in its turn: until then its failure is nobody's.
      group.catch(() => undefined);
      pending.push(group);
    }
  };
  try {
    for (let i = 0; i < groups.length; i++) {
      fill();
      const group = groups[i]!;
      for (const [at, sealed] of (await pending.shift()!).entries()) yield { block: group[at]!, sealed };
    }
  } finally {
    // A consumer that has seen enough, or one call that failed for good, ends the others.
    left.abort(new AppError("interrupted"));
  }
}

function groupsOf(blocks: readonly BlockLocation[], callBytes: number): BlockLocation[][] {
  const groups: BlockLocation[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const block of blocks) {
    if (bytes + block.length > callBytes || groups.at(-1)!.length === API_LIMITS.blocksPerCall) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(block);
    bytes += block.length;
  }
  return groups;
}

async function fetchGroup(
  client: ApiClient,
  vault: VaultId,
  group: readonly BlockLocation[],
  signal: AbortSignal,
): Promise<Bytes[]> {
  const found: Bytes[] = [];
  // An answer may end early, after a whole block: the rest is asked for again.
  while (found.length < group.length) {
    const before = found.length;
    await client.retrier.run(() => fetchRest(client, vault, group, found, signal), signal);
    if (found.length === before) throw answerInvalid("it gave none of the blocks that were asked for.");
  }
  return found;
}

/** Adds to `found` what comes, also when it throws. */
async function fetchRest(
  client: ApiClient,
  vault: VaultId,
  group: readonly BlockLocation[],
  found: Bytes[],
  signal: AbortSignal,
): Promise<void> {
  const blockNos = group.slice(found.length).map(({ blockNo }) => blockNo);
  if (blockNos.length === 0) return;
  const answer = await client.stream(DEVICE_ROUTES.fetchBlocks, { params: { vault }, body: { blockNos }, signal });
  const reader = new BlockStreamReader(refuse);
  for await (const slice of answer.body) {
    for (const sealed of reader.push(slice)) {
      const block = group[found.length];
      if (!block) throw answerInvalid("it gave more blocks than were asked for.");
      if (sealed.length > block.length) throw answerInvalid(`block ${block.blockNo} is too long.`);
      found.push(sealed);
    }
  }
  if (!reader.isWhole) throw answerInvalid("it ends inside a block.");
}

function refuse(detail: string): never {
  throw answerInvalid(`${detail}.`);
}
