// How a file is cut into packets (docs/protocol-v3.md, The old client): sizes only.

import { AppError } from "../../core/errors.ts";
import { CIPHER_BLOCK_BYTES, cipherLength, PLAIN_BYTES_MAX } from "../legacy-crypto.ts";

/** Up to here a file goes in one packet, or in two when padding makes it longer. */
const SMALL_FILE_BYTES = 60 * 1024;
const SMALLEST_PACKET_BYTES = 1024;
const LARGE_PACKET_BYTES = 64 * 1024;
/** The field has 16 bits. */
const PACKETS_MAX = 65_535;

export type PacketPlan = {
  /** Ciphertext of each packet but the last; a multiple of the cipher's block. */
  readonly packetBytes: number;
  readonly packets: number;
  readonly cipherBytes: number;
};

/**
 * The old client's packets. Above 4 GiB - 64 KiB, where it would need more of them than can be counted, packets are a little larger.
 * Throws `limit` for what protocol 3 cannot carry.
 */
export function planPackets(plainBytes: number): PacketPlan {
  if (plainBytes > PLAIN_BYTES_MAX) {
    throw new AppError("limit", { context: { what: "A file for a CyberBackup 3 server", limit: "4 GiB" } });
  }
  const cipherBytes = cipherLength(plainBytes);
  const packetBytes =
    plainBytes <= SMALL_FILE_BYTES
      ? Math.max(SMALLEST_PACKET_BYTES, wholeBlocks(plainBytes))
      : Math.max(LARGE_PACKET_BYTES, wholeBlocks(Math.ceil(cipherBytes / PACKETS_MAX)));
  return { packetBytes, packets: Math.ceil(cipherBytes / packetBytes), cipherBytes };
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / CIPHER_BLOCK_BYTES) * CIPHER_BLOCK_BYTES;
}
