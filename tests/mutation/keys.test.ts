// Key files under damage and malice.

import { test } from "node:test";
import { utf8 } from "../../src/core/bytes.ts";
import type { VaultId } from "../../src/core/ids.ts";
import { decodeDeviceFile } from "../../src/crypto/device-file.ts";
import { openKeyslot } from "../../src/crypto/keyslot.ts";
import { openSessionKey } from "../../src/crypto/session-key.ts";
import { surviveMutations } from "../mutate.ts";
import keyVectors from "../vectors/keys.json" with { type: "json" };

/** The age library allocates as it likes: ML-KEM alone takes some hundred kilobytes. */
const AGE_ALLOCATION = 8 * 2 ** 20;

const { keyslot, recoveryKeyslot, sessionKey, deviceFile } = keyVectors;

test("device files", async () => {
  await surviveMutations({
    samples: [utf8(deviceFile)],
    decode: (bytes) => decodeDeviceFile(latin1(bytes)),
    count: 10_000,
  });
});

test("keyslots", async () => {
  await surviveMutations({
    samples: [Uint8Array.fromBase64(recoveryKeyslot.file)],
    decode: (file) => openKeyslot(file, keyslot.vault as VaultId, { identity: recoveryKeyslot.identity }),
    count: 2000,
    maxAllocation: () => AGE_ALLOCATION,
  });
});

test("sealed session keys", async () => {
  await surviveMutations({
    samples: [Uint8Array.fromBase64(sessionKey.file)],
    decode: (file) => openSessionKey(file, sessionKey.identity),
    count: 2000,
    maxAllocation: () => AGE_ALLOCATION,
  });
});

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
