// What devices and people read of a vault: log, devices, keyslots, snapshots, where chunks lie, blocks and packs. Everything that
// is long is a stream.

import type { Bytes } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { LocalVault } from "../../vault/local-vault.ts";
import { blockLocations, packSize, readPack } from "../../vault/server-queries.ts";
import { encodeBlockLength } from "../../wire/v4/api/block-stream.ts";
import { encodeLocated } from "../../wire/v4/api/chunk-answers.ts";
import { API_LIMITS, type DEVICE_ROUTES } from "../../wire/v4/api/device-routes.ts";
import type { BlockLocation } from "../../wire/v4/vault-port.ts";
import type { Call, Handlers } from "../http/call.ts";
import type { MemoryGate } from "../http/memory-gate.ts";
import { cutChunkIds } from "./chunk-ids.ts";
import { FETCH_BYTES } from "./limits.ts";
import { parseRange } from "./range.ts";

type ReadRoute =
  | "head"
  | "log"
  | "devices"
  | "keyslots"
  | "keyslot"
  | "snapshots"
  | "snapshotRecord"
  | "locateChunks"
  | "fetchBlocks"
  | "pack"
  | "sessionKeys";

const LOG_STEP = 64;

export function readHandlers(fetchGate: MemoryGate): Pick<Handlers<typeof DEVICE_ROUTES>, ReadRoute> {
  return {
    head: async ({ vault: { id, vault } }) => ({ vault: id, ...(await vault.head()) }),

    log: async ({ vault: { vault }, query }) => ({ entries: await logEntries(vault, query.after, query.limit) }),

    devices: async ({ vault: { vault } }) => ({ devices: await vault.devices() }),

    keyslots: async ({ vault: { vault } }) => ({ keyslots: await vault.keyslots() }),

    keyslot: async ({ vault: { vault }, params }) => whole(await vault.keyslotFile(params.keyslot)),

    async snapshots({ vault: { vault }, request, reply }) {
      const tag = `"${(await vault.head()).id}"`;
      reply.header("ETag", tag);
      if (request.headers["if-none-match"] === tag) {
        reply.status = 304;
        return { snapshots: [] };
      }
      const rows = await vault.snapshots();
      return {
        snapshots: rows.map((row) => ({
          ...row,
          tags: [...row.tags],
          trashedAt: row.trashedAt ?? null,
          pinnedUntil: row.pinnedUntil ?? null,
        })),
      };
    },

    snapshotRecord: async ({ vault: { vault }, params }) => whole(await vault.snapshotRecord(params.snapshot)),

    async locateChunks({ vault: { vault }, body }) {
      const ids = cutChunkIds(body.ids);
      const { blocks, of } = encodeLocated(await vault.locateChunks(ids, body.snapshot ?? undefined));
      return { blocks: blocks.map(onlyLocation), of };
    },

    async fetchBlocks({ vault: { vault }, body, signal }) {
      return blockStream(vault, body.blockNos, fetchGate, signal);
    },

    async pack({ vault: { vault }, params, request, reply }: Call<typeof DEVICE_ROUTES.pack>) {
      const sizeBytes = await packSize(vault.context, params.pack);
      const range = parseRange(request.headers.range, sizeBytes);
      reply.header("Accept-Ranges", "bytes");
      if (range === "none") {
        reply.header("Content-Range", `bytes */${sizeBytes}`);
        throw new AppError("request_invalid", { context: { detail: "the pack is shorter than that", status: 416 } });
      }
      if (range === "all") return { sizeBytes, content: readPack(vault.context, params.pack, 0, sizeBytes) };
      const { start, length } = range;
      reply.status = 206;
      reply.header("Content-Range", `bytes ${start}-${start + length - 1}/${sizeBytes}`);
      return { sizeBytes: length, content: readPack(vault.context, params.pack, start, length) };
    },

    async sessionKeys({ vault: { vault }, body }) {
      const keys = await vault.sealedSessionKeys(body.sessions);
      return { keys: Array.from(keys, ([session, key]) => ({ session, key })) };
    },
  };
}

/** What the vault says beyond a place stays here. */
function onlyLocation({ blockNo, blockId, kind, session, device, counter, length, pack, offset }: BlockLocation) {
  return { blockNo, blockId: blockId as Bytes, kind, session, device, counter, length, pack, offset };
}

/** At least one if there is any, however long it is. */
async function logEntries(vault: LocalVault, after: number, limit: number): Promise<Bytes[]> {
  const entries: Bytes[] = [];
  let bytes = 0;
  while (entries.length < limit) {
    const step = await vault.logAfter(after + entries.length, Math.min(LOG_STEP, limit - entries.length));
    if (step.length === 0) return entries;
    for (const entry of step) {
      bytes += entry.length;
      if (bytes > API_LIMITS.logBytesPerCall && entries.length > 0) return entries;
      entries.push(entry);
    }
  }
  return entries;
}

async function* blockStream(
  vault: LocalVault,
  blockNos: readonly number[],
  gate: MemoryGate,
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  const release = await gate.take(FETCH_BYTES, signal);
  try {
    const locations = blockLocations(vault.context, blockNos);
    let bytes = 0;
    const within = locations.findIndex((location, i) => {
      bytes += location?.length ?? 0;
      return i > 0 && bytes > API_LIMITS.bytesPerFetch;
    });
    const asked = within < 0 ? locations : locations.slice(0, within);
    const found = asked.filter((location) => location !== undefined);
    const blocks = vault.fetchBlocks(found)[Symbol.asyncIterator]();
    try {
      for (const location of asked) {
        const sealed = location === undefined ? undefined : (await blocks.next()).value?.sealed;
        // A block that came short is as good as none.
        const isWhole = sealed !== undefined && sealed.length === location?.length;
        yield encodeBlockLength(isWhole ? sealed.length : 0);
        if (isWhole) yield sealed;
      }
    } finally {
      await blocks.return?.();
    }
  } finally {
    release();
  }
}

function whole(content: Bytes) {
  return { sizeBytes: content.length, content };
}
