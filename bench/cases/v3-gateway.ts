// Uploads of protocol 3 through the gateway, beside the two programs that do the least that must be done: decrypt, and checksum.
import { createCipheriv } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Case, Contender } from "../case.ts";
import { makeOnce, prepareRandomFile, RANDOM_FILE } from "../data.ts";
import { CHECKOUT, remove, storedBytes, work } from "../folders.ts";

const UPLOAD_BYTES = 2 ** 30;
/** The largest file whose ciphertext size the protocol can say. */
const LARGEST_BYTES = 2 ** 32 - 17;
const HALF_OPEN = 10_000;
const SLOWEST_BYTES_PER_SECOND = 150e6;
const PEAK_BYTES = 200 * 2 ** 20;
const KEY = "00".repeat(32);
const IV = "00".repeat(16);
const CIPHERTEXT = join(dirname(RANDOM_FILE), "..", "v3", "1g.aes");
const PEER = "openssl | cksum";

export const v3Gateway: Case = {
  name: "v3-gateway",
  title: "Upload of 1 GiB of random bytes by protocol 3, into a vault",
  prepare,
  contenders: [upload("gateway, vault", "v3-gateway", "vault", UPLOAD_BYTES), openssl()],
  targets: targetsOf(UPLOAD_BYTES),
};

export const v3GatewayPlain: Case = {
  name: "v3-gateway-plain",
  title: "Upload of 1 GiB of random bytes by protocol 3, into a folder",
  prepare,
  contenders: [upload("gateway, folder", "v3-gateway-plain", "plain", UPLOAD_BYTES), openssl()],
  targets: targetsOf(UPLOAD_BYTES),
};

export const v3GatewayLargest: Case = {
  name: "v3-gateway-4g",
  title: "Upload of 4 GiB by protocol 3, into a vault and into a folder",
  heavy: true,
  prepare: prepareRandomFile,
  contenders: [
    upload("gateway, vault", "v3-gateway-4g", "vault", LARGEST_BYTES),
    upload("gateway, folder", "v3-gateway-4g", "plain", LARGEST_BYTES),
  ],
  targets: [{ quantity: "peak", atMost: PEAK_BYTES }],
};

export const v3GatewayHalfOpen: Case = {
  name: "v3-gateway-half-open",
  title: "Upload of 64 MiB by protocol 3 while 10,000 connections stay silent",
  heavy: true,
  prepare: prepareRandomFile,
  contenders: [upload("gateway, vault", "v3-gateway-half-open", "vault", 2 ** 26, HALF_OPEN)],
  targets: [{ quantity: "peak", atMost: PEAK_BYTES }],
};

function targetsOf(bytes: number): Case["targets"] {
  return [
    { quantity: "wall", against: PEER, atMost: 1 / 0.6 },
    { quantity: "wall", atMost: (bytes / SLOWEST_BYTES_PER_SECOND) * 1000 },
    { quantity: "peak", atMost: PEAK_BYTES },
  ];
}

function upload(name: string, caseName: string, store: "vault" | "plain", bytes: number, halfOpen = 0): Contender {
  const folder = work("runs", caseName, store);
  const script = join(CHECKOUT, "bench", "v3-upload.ts");
  return {
    name,
    command: () => ({ argv: [process.execPath, script, store, folder, RANDOM_FILE, String(bytes), String(halfOpen)] }),
    printsFigures: true,
    stored: async () => {
      const stored = await storedBytes(join(folder, store === "vault" ? "vault" : "received"));
      await remove(folder);
      return stored;
    },
  };
}

function openssl(): Contender {
  const script = 'openssl enc -d -aes-256-cbc -K "$2" -iv "$3" -in "$1" | cksum';
  return { name: PEER, command: () => ({ argv: ["sh", "-c", script, "sh", CIPHERTEXT, KEY, IV] }) };
}

async function prepare(): Promise<void> {
  await prepareRandomFile();
  await makeOnce(dirname(CIPHERTEXT), async (folder) => {
    const cipher = createCipheriv("aes-256-cbc", Buffer.from(KEY, "hex"), Buffer.from(IV, "hex"));
    const source = createReadStream(RANDOM_FILE, { end: UPLOAD_BYTES - 1 });
    await pipeline(source, cipher, createWriteStream(join(folder, "1g.aes")));
  });
}
