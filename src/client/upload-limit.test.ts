import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionId } from "../core/ids.ts";
import type { VaultPort } from "../wire/v4/vault-port.ts";
import { limitUploads } from "./upload-limit.ts";

test("uploads take as long as the rate says, and nothing is changed on the way", async () => {
  let nowMs = 0;
  const clock = { now: () => nowMs, monotonic: () => nowMs };
  const sleep = async (ms: number): Promise<void> => {
    nowMs += ms;
  };
  const seen: number[] = [];
  const vault = {
    vaultId: "v",
    async putPack(_session: SessionId, pack: AsyncIterable<Uint8Array>) {
      for await (const slice of pack) seen.push(...slice);
      return { packId: "p", blockNos: [] };
    },
  } as unknown as VaultPort;
  const limited = limitUploads(vault, 2, clock, sleep);
  async function* slices() {
    yield Uint8Array.of(1, 2, 3);
    yield Uint8Array.of(4);
  }
  await limited.putPack("s" as SessionId, slices());
  assert.deepEqual(seen, [1, 2, 3, 4]);
  assert.equal(nowMs, 2000);
  assert.equal(limited.vaultId, "v");
});

test("no limit is no wrapper", () => {
  const vault = {} as VaultPort;
  assert.equal(limitUploads(vault, 0, { now: () => 0, monotonic: () => 0 }), vault);
});
