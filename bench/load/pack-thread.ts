// Makes packs for the load in a thread of its own: what a device does before it sends must not hold up the thread that measures.

import { parentPort } from "node:worker_threads";
import type { SessionId, VaultId } from "../../src/core/ids.ts";
import { importSigner, type Signer } from "../../src/crypto/signature.ts";
import { makePack, prng, type TestBlock, type World } from "../../tests/vault/kit.ts";

export type PackRequest = {
  readonly id: number;
  readonly vaultId: VaultId;
  /** The device's key, PKCS#8. */
  readonly key: Uint8Array;
  readonly session: SessionId;
  readonly firstCounter: number;
};
export type PackAnswer = { readonly id: number; readonly pack: Uint8Array<ArrayBuffer> };

export const BLOCKS_PER_PACK = 4;
const BLOCK_BYTES = 256 * 1024;
const CHUNKS_PER_BLOCK = 8;
export const PACK_BYTES = BLOCKS_PER_PACK * BLOCK_BYTES;

const random = prng(1);
/** Random once: what is measured is the server. */
const body = crypto.getRandomValues(new Uint8Array(2 ** 16));
const signers = new Map<string, Promise<Signer>>();

parentPort?.on("message", async ({ id, vaultId, key, session, firstCounter }: PackRequest) => {
  const name = Buffer.from(key).toString("base64");
  const signer = signers.get(name) ?? importSigner(key);
  signers.set(name, signer);
  const world = { vaultId, device: await signer, random } as unknown as World;
  const blocks = Array.from({ length: BLOCKS_PER_PACK }, newBlock);
  const pack = (await makePack(world, session, blocks, { firstCounter })) as Uint8Array<ArrayBuffer>;
  parentPort!.postMessage({ id, pack } satisfies PackAnswer, [pack.buffer]);
});

function newBlock(): TestBlock {
  const sealed = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < BLOCK_BYTES; at += body.length) sealed.set(body, at);
  crypto.getRandomValues(sealed.subarray(0, 16));
  const chunkIds = Array.from({ length: CHUNKS_PER_BLOCK }, () => crypto.getRandomValues(new Uint8Array(32)) as never);
  return { sealed, chunkIds, kind: 1 };
}
