// Keyed tokens that stand for the names of plans and tags, so that the vault can group by them without knowing them.
// Definition: docs/format.md, Names of things.

import { toHex, utf8 } from "../core/bytes.ts";
import { ID_BYTES, type NameToken } from "../core/ids.ts";
import { type MacKey, webPrimitives } from "./primitives.ts";

export function planToken(metaKey: MacKey, name: string): Promise<NameToken> {
  return nameToken(metaKey, "plan\0", name);
}

export function tagToken(metaKey: MacKey, name: string): Promise<NameToken> {
  return nameToken(metaKey, "tag\0", name);
}

async function nameToken(metaKey: MacKey, prefix: string, name: string): Promise<NameToken> {
  const mac = await webPrimitives.hmacSha256(metaKey, utf8(prefix), utf8(name.normalize("NFC")));
  return toHex(mac.subarray(0, ID_BYTES.token)) as NameToken;
}
