// Many devices at one server: all keep a connection, some upload without a pause. Says how long questions about chunks took, what went wrong and
// how much memory the server had, and ends with 1 when that is not what was promised.
// node bench/load/run.ts [--chunks N --devices N --uploaders N --kibps N --seconds N --folder DIR]
// Uploaders send over lines of about `--kibps` each (default 512, 64 of them fill 32 MiB a second), since on one machine a load without a
// bound takes the processor from the server that is measured; 0 is no bound. No two lines are alike: with equal ones, those who once waited
// for the same thing would come back at the same instant for ever.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { fromHex, toHex } from "../../src/core/bytes.ts";
import type { VaultId } from "../../src/core/ids.ts";
import { generateDeviceKey, importSigner, type Signer } from "../../src/crypto/signature.ts";
import { DEVICE_ROUTES } from "../../src/wire/v4/api/device-routes.ts";
import { VAULT_ROUTES } from "../../src/wire/v4/api/vault-routes.ts";
import { call, newVault, toWire } from "../../tests/server/device.ts";
import { deviceAdd, makeRecord, PLAN, prng, signed, type World } from "../../tests/vault/kit.ts";
import { work } from "../folders.ts";
import { chunkIdOf, fillIndex } from "./big-index.ts";
import { LoadDevice, newSessionId } from "./device.ts";
import { PackMaker } from "./pack-maker.ts";
import { BLOCKS_PER_PACK, PACK_BYTES } from "./pack-thread.ts";
import { startServerProcess } from "./server-process.ts";

const { values } = parseArgs({
  options: {
    chunks: { type: "string", default: "10000000" },
    devices: { type: "string", default: "500" },
    uploaders: { type: "string", default: "64" },
    kibps: { type: "string", default: "512" },
    seconds: { type: "string", default: "60" },
    folder: { type: "string", default: work("runs", "server-load") },
  },
});
const chunks = Number(values.chunks);
const seconds = Number(values.seconds);
const uploaders = Number(values.uploaders);
const bytesPerSecond = Number(values.kibps) === 0 ? undefined : Number(values.kibps) * 1024;

const MOST_MISSING_MS = 50;
const MOST_BYTES = 512 * 2 ** 20;
/** What one pack of a machine that backs up small files asks for and brings. */
const IDS_PER_QUESTION = 512;
const PACKS_PER_SESSION = 4;
/** What a pack takes over a line of the bound, or thereabouts. */
const PACK_MS = bytesPerSecond === undefined ? 1000 : (PACK_BYTES / bytesPerSecond) * 1000;
const VAULT = "load";

/** Of a device; `key` is PKCS#8. */
type Key = { readonly signer: Signer; readonly key: Uint8Array };

const random = prng(1);
/** An answer is read by the same thread that makes the others' packs: how late that one is. */
const lag = monitorEventLoopDelay({ resolution: 5 });
const spent = {
  questions: [] as number[],
  packs: 0,
  commits: 0,
  errors: [] as string[],
  /** Processor time. */
  ownSeconds: 0,
  serverSeconds: 0,
};

rmSync(values.folder, { recursive: true, force: true });
mkdirSync(values.folder, { recursive: true });
const data = join(values.folder, "data");
const { vaultId, keys } = await prepare();
const packs = new PackMaker();
const server = await startServerProcess(data);
try {
  const devices = keys.map(
    ({ signer }, i) => new LoadDevice({ port: server.port, vault: VAULT }, signer, speedOfLine(i % uploaders)),
  );
  for (let at = 0; at < devices.length; at += 32) {
    await Promise.all(devices.slice(at, at + 32).map((device) => device.logIn()));
  }
  const idle = server.peakBytes();
  lag.enable();
  const cpuBefore = process.cpuUsage();
  const serverBefore = server.cpuSeconds();
  const end = performance.now() + seconds * 1000;
  await Promise.all(devices.map((device, i) => (i < uploaders ? upload(device, keys[i]!, end) : stayIn(device, end))));
  const peak = server.peakBytes();
  spent.ownSeconds = secondsOf(process.cpuUsage(cpuBefore));
  spent.serverSeconds = server.cpuSeconds() - serverBefore;
  for (const device of devices) device.close();
  report(idle, peak);
} finally {
  await packs.close();
  await server.stop();
}

async function newKey(): Promise<Key> {
  const { pkcs8 } = await generateDeviceKey();
  return { signer: await importSigner(pkcs8), key: pkcs8 };
}

/** A vault with its devices and an index of `chunks`. */
async function prepare(): Promise<{ vaultId: VaultId; keys: Key[] }> {
  const made = await startServerProcess(data);
  const at = { socketPath: made.socketPath };
  const vault = toHex(random.bytes(16)) as VaultId;
  const first = await newKey();
  const owner = first.signer;
  await call(at, VAULT_ROUTES.makeVault, { body: await newVault(VAULT, vault, owner, random.bytes(100)) });
  const keys = [first];
  for (let i = 1; i < Number(values.devices); i++) {
    const key = await newKey();
    const statement = toWire(await signed(vault, owner, deviceAdd(key.signer, `device ${i}`)));
    await call(at, VAULT_ROUTES.statement, {
      params: { vault: VAULT },
      body: { statement, keyslotFile: null },
    } as never);
    keys.push(key);
  }
  await made.stop();
  const size = fillIndex(join(data, "vaults", vault, "index.db"), fromHex(owner.device), chunks);
  console.log(`${keys.length} devices, ${chunks} chunks, an index of ${mib(size)}`);
  return { vaultId: vault, keys };
}

async function upload(device: LoadDevice, { signer, key }: Key, end: number): Promise<void> {
  // Not all at the same instant, which would go on for as long as the lines are alike: the queue would be what is measured.
  await new Promise((resolve) => setTimeout(resolve, Math.random() * PACK_MS));
  while (performance.now() < end) {
    const session = newSessionId();
    await attempt("session", () => device.call(DEVICE_ROUTES.openSession, {}, { session, plan: PLAN, base: null }));
    const refs: number[] = [];
    for (let n = 0; n < PACKS_PER_SESSION; n++) {
      const ids = someIds();
      const before = performance.now();
      await attempt("chunks", () => device.call(DEVICE_ROUTES.findChunks, { session }, { ids }));
      spent.questions.push(performance.now() - before);
      const pack = await packs.make({ vaultId, key, session, firstCounter: n * BLOCKS_PER_PACK });
      const receipt = await attempt("pack", () => device.call(DEVICE_ROUTES.putPack, { session, n }, pack));
      if (receipt !== undefined) refs.push(...receipt.blockNos);
      spent.packs++;
    }
    const head = await attempt("head", () => device.call(DEVICE_ROUTES.head, {}));
    if (head === undefined) continue;
    const world = { vaultId, device: signer, random, clock: { now: () => Date.now() } } as unknown as World;
    const record = await makeRecord(
      world,
      { head: async () => ({ seq: head.seq, id: head.id }) } as never,
      session,
      refs,
    );
    await attempt("commit", () => device.call(DEVICE_ROUTES.commit, { session }, record.bytes));
    spent.commits++;
  }
}

/** Between three and five quarters of the given speed. */
function speedOfLine(i: number): number | undefined {
  return bytesPerSecond && bytesPerSecond * (0.75 + (0.5 * i) / uploaders);
}

/** Looks every few seconds whether there is anything new, as an agent does. */
async function stayIn(device: LoadDevice, end: number): Promise<void> {
  while (performance.now() < end) {
    await attempt("head", () => device.call(DEVICE_ROUTES.head, {}));
    await new Promise((resolve) => setTimeout(resolve, 2000 + 1000 * Math.random()));
  }
}

/** Half of what a machine asks for is there. */
function someIds(): Uint8Array<ArrayBuffer> {
  const ids = new Uint8Array(IDS_PER_QUESTION * 32);
  for (let i = 0; i < IDS_PER_QUESTION; i++) {
    const id = chunkIdOf(Math.floor(Math.random() * chunks), chunks);
    if (i % 2 === 0) id[31]! ^= 0xff;
    ids.set(id, i * 32);
  }
  return ids;
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    spent.errors.push(`${what}: ${(error as Error).message}`);
    return undefined;
  }
}

function report(idleBytes: number, peakBytes: number): void {
  const sorted = spent.questions.sort((a, b) => a - b);
  const quantile = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  console.log(`questions ${sorted.length}: p50 ${quantile(0.5).toFixed(1)} ms, p99 ${quantile(0.99).toFixed(1)} ms`);
  const own = lag.percentile(99) / 1e6;
  console.log(
    `of which this program's own delay: p50 ${(lag.percentile(50) / 1e6).toFixed(1)} ms, p99 ${own.toFixed(1)} ms`,
  );
  console.log(`packs ${spent.packs} (${mib(spent.packs * PACK_BYTES)}), snapshots ${spent.commits}`);
  const spentSeconds = `server ${spent.serverSeconds.toFixed(1)} s, this program ${spent.ownSeconds.toFixed(1)} s`;
  console.log(`processor time during the load: ${spentSeconds}`);
  console.log(`memory ${mib(peakBytes)} (${mib(idleBytes)} before the load)`);
  console.log(
    `errors ${spent.errors.length}${spent.errors
      .slice(0, 5)
      .map((line) => `\n  ${line}`)
      .join("")}`,
  );
  const isKept = quantile(0.99) < MOST_MISSING_MS && peakBytes < MOST_BYTES && spent.errors.length === 0;
  if (!isKept) process.exitCode = 1;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

function secondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6;
}
