// What a device signs to log in. Layout: docs/protocol-v4.md, Login of a device. The binding names the channel, so that a
// signature that somebody relays is of no use in his own.

import { type Bytes, concatBytes, fromHex, utf8 } from "../../core/bytes.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";

/** SHA-256 of the server's own certificate, as the client saw it. */
export const BINDING_CERTIFICATE = 1;
/** SHA-256 of the server's origin: for browsers. */
export const BINDING_ORIGIN = 2;

export type LoginClaim = {
  readonly vault: VaultId;
  readonly device: DeviceId;
  /** 32 bytes. */
  readonly challenge: Uint8Array;
  readonly bindingKind: number;
  /** 32 bytes. */
  readonly binding: Uint8Array;
};

export function loginStatement({ vault, device, challenge, bindingKind, binding }: LoginClaim): Bytes {
  const kind = Uint8Array.of(bindingKind);
  return concatBytes([utf8("CB4 login v1\n"), fromHex(vault), fromHex(device), challenge, kind, binding]);
}
