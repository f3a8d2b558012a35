// A process of its own that backs up into a vault on disk until it is told to stop or is killed; see processes.test.ts.
// Prints one JSON line for each acknowledged snapshot: its id, and the chunkIds and hashes of its blocks.
import { toHex } from "../../src/core/bytes.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { VaultId } from "../../src/core/ids.ts";
import { importSigner } from "../../src/crypto/signature.ts";
import { openVault } from "../../src/vault/open-vault.ts";
import { backUp, hashesOf, prng, randomBlock, type World } from "./kit.ts";

const [folder, key, seed, runs] = process.argv.slice(2) as [string, string, string, string];
const random = prng(Number(seed));
for (let run = 0; run < Number(runs); run++) {
  const vault = await openVault(folder);
  const device = await importSigner(Buffer.from(key, "base64"));
  const world = { clock: systemClock, random, device, vaultId: vault.vaultId as VaultId } as unknown as World;
  const blocks = Array.from({ length: 3 }, () => randomBlock(random, 4, 5000));
  const id = await backUp(world, vault, blocks);
  const chunkIds = blocks.map((block) => block.chunkIds.map((chunkId) => toHex(chunkId)));
  process.stdout.write(`${JSON.stringify({ id, chunkIds, hashes: hashesOf(blocks) })}\n`);
  await vault.close();
}
