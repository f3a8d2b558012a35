// SHA-256 (FIPS 180-4) by the platform's WebCrypto, for rooms that hash little and hold no `Primitives`.

import type { Bytes } from "./bytes.ts";

export async function sha256(data: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data as Bytes));
}
