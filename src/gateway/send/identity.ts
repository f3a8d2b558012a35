// Who we are at an old server: `me.info` and the `priv.key` beside it, as the old client keeps them. Both are replaced as a whole and
// readable by their owner alone, which the old client did not see to.

import { basename, dirname, join } from "node:path";
import type { V3ClientId } from "../../core/ids.ts";
import { readFileIfExists, writeFileAtomic } from "../../node/atomic-file.ts";
import { formatMeInfo, type MeInfo, parseMeInfo, requirePrivateKey } from "../old-files.ts";

const KEY_FILE = "priv.key";

export type OldIdentity = {
  /** Undefined until a server gave an id. */
  readonly me: MeInfo | undefined;
  /** PKCS#8 DER, the likeliest first: `priv.key` comes before the key in `me.info`. */
  readonly privateKeys: readonly Uint8Array[];
};

export type IdentityStore = {
  /** For messages. */
  readonly path: string;
  /** Throws `v3_file_invalid`, `io`. */
  load(): Promise<OldIdentity>;
  /** Before a server is asked for an id: one that is given must not find its key lost. */
  saveKey(privateKey: Uint8Array): Promise<void>;
  save(me: { readonly user: string; readonly client: V3ClientId; readonly privateKey: Uint8Array }): Promise<void>;
};

/** `path` is that of `me.info`; files that are not there are made when they are needed. */
export function openIdentity(path: string): IdentityStore {
  const keyPath = join(dirname(path), KEY_FILE);
  return {
    path,

    async load() {
      const [info, key] = [await readFileIfExists(path), await readFileIfExists(keyPath)];
      const me = info && parseMeInfo(info, basename(path));
      const own = key && requirePrivateKey(key, KEY_FILE);
      return { me, privateKeys: [own, me?.privateKey].filter((one) => one !== undefined) };
    },

    saveKey: (privateKey) => writeFileAtomic(keyPath, privateKey),

    save: (me) => writeFileAtomic(path, formatMeInfo(me)),
  };
}
