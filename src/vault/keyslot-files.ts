// Keyslot files in the store: written before the log entry that names them, removed after the entry that takes them away.

import { createHash } from "node:crypto";
import { AppError } from "../core/errors.ts";
import { ID_BYTES, type KeyslotId } from "../core/ids.ts";
import type { ObjectStore } from "../storage/object-store.ts";
import { keyslotKey } from "./object-keys.ts";

/** Stores the file under the name that its hash gives it. */
export async function addKeyslotFile(store: ObjectStore, file: Uint8Array): Promise<KeyslotId> {
  const id = keyslotIdOf(file);
  if (await store.put(keyslotKey(id), file)) return id;
  throw new AppError("record_corrupt", {
    context: { what: `Keyslot ${id}`, detail: "what is stored under its name is something else" },
  });
}

export function keyslotHash(file: Uint8Array): string {
  return createHash("sha256").update(file).digest("hex");
}

function keyslotIdOf(file: Uint8Array): KeyslotId {
  return keyslotHash(file).slice(0, 2 * ID_BYTES.keyslot) as KeyslotId;
}
