import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MemoryVault } from "../../../tests/memory-vault.ts";
import { counting, DEVICE, PLAN, SESSION, VAULT } from "../../../tests/samples.ts";
import { type Bytes, concatBytes } from "../../core/bytes.ts";
import { sha256 } from "../../core/sha256.ts";
import { generateDeviceKey, importSigner } from "../../crypto/signature.ts";
import { encodeFrameHeader } from "../../wire/v4/pack-frame.ts";
import type { BlockKind } from "../../wire/v4/vault-port.ts";
import { PackWriter, type PackWriterOptions } from "./pack-writer.ts";
import type { FinishedBlock } from "./types.ts";

const key = await generateDeviceKey();
const signer = await importSigner(key.pkcs8);

async function makeWriter(options: Partial<PackWriterOptions> = {}) {
  const vault = new MemoryVault(VAULT, { ...key, name: "ann", revoked: false, group: "" });
  await vault.openSession({ session: SESSION, device: key.device, plan: PLAN, base: undefined });
  const stored = new Map<number, number>();
  const failures: unknown[] = [];
  const writer = new PackWriter({
    vault,
    vaultId: VAULT,
    session: SESSION,
    device: key.device,
    sealedKey: counting(5, 100),
    signer,
    packBytes: 5000,
    onTaken: () => undefined,
    onStored: ({ counter }, blockNo) => stored.set(counter, blockNo),
    onFailure: (error) => failures.push(error),
    ...options,
  });
  return { vault, writer, stored, failures };
}

async function block(counter: number, length = 1000, kind: BlockKind = 1): Promise<FinishedBlock> {
  const sealed = counting(counter, length);
  const frame = concatBytes([encodeFrameHeader({ length, counter, sessionIndex: 0, kind }), sealed]) as Bytes;
  return { kind, counter, frame, blockId: await sha256(sealed), chunkIds: counting(counter, 64) };
}

describe("packs", () => {
  test("are closed as they fill, and every block learns its number", async () => {
    const { vault, writer, stored } = await makeWriter();
    for (let i = 0; i < 12; i++) writer.add(await block(i, 1000, i % 2 === 0 ? 1 : 2));
    await writer.finish();
    assert.deepEqual(vault.packs.map(({ blockNos }) => blockNos.length).sort(), [2, 5, 5]);
    assert.deepEqual(
      [...stored.keys()].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    );
    for (const [counter, blockNo] of stored) {
      const { sealed, location } = vault.stored.blocks.get(blockNo)!;
      assert.deepEqual(sealed, counting(counter, 1000));
      assert.deepEqual([location.counter, location.kind, location.device], [counter, 1 + (counter % 2), key.device]);
    }
    assert.deepEqual([writer.addedBytes, writer.queuedBytes], [12_000, 0]);
  });

  test("without blocks there is none", async () => {
    const { vault, writer } = await makeWriter();
    await writer.finish();
    assert.equal(vault.packs.length, 0);
  });

  test("of another device than the signer's are refused by the vault", async () => {
    const { writer, failures } = await makeWriter({ signer: { ...signer, sign: async () => counting(1, 64) } });
    writer.add(await block(1));
    await assert.rejects(writer.finish(), { code: "signature_bad" });
    assert.equal(failures.length, 1);
    assert.notEqual(key.device, DEVICE);
  });

  test("that wait are counted until the vault takes them", async () => {
    const { vault, writer } = await makeWriter();
    let go: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    vault.onSlice = () => gate;
    for (let i = 0; i < 3; i++) writer.add(await block(i));
    assert.ok(writer.queuedBytes >= 3 * 1016, `${writer.queuedBytes}`);
    go!();
    await writer.finish();
    assert.equal(writer.queuedBytes, 0);
  });
});

describe("a vault that fails", () => {
  test("is heard of at once, frees what waited, and ends the next call", async () => {
    const { vault, writer, failures, stored } = await makeWriter();
    vault.onSlice = () => Promise.reject(new Error("full"));
    const blocks = await Promise.all([1, 2, 3].map((i) => block(i)));
    for (const each of blocks) writer.add(each);
    while (failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(writer.queuedBytes, 0);
    const late = await block(4);
    assert.throws(() => writer.add(late), /full/);
    await assert.rejects(writer.finish(), /full/);
    assert.equal(stored.size, 0);
  });

  test("to sign is a failure too", async () => {
    const { writer, failures } = await makeWriter({
      signer: { ...signer, sign: () => Promise.reject(new Error("no key")) },
    });
    writer.add(await block(1));
    await assert.rejects(writer.finish(), /no key/);
    assert.match(String(failures[0]), /no key/);
  });
});

describe("an abort", () => {
  test("keeps the packs that are whole, drops the open one, and begins no other", async () => {
    const { vault, writer, stored } = await makeWriter();
    for (let i = 0; i < 7; i++) writer.add(await block(i));
    const late = await block(8);
    const aborted = writer.abort();
    // Workers may still give out blocks.
    writer.add(late);
    await aborted;
    writer.add(late);
    await writer.abort();
    assert.deepEqual([vault.packs.length, stored.size], [1, 5]);
  });

  test("of nothing is over at once", async () => {
    const { writer } = await makeWriter();
    await writer.abort();
  });
});
