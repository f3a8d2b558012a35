// Session keys, opened when first needed and kept: each costs some milliseconds of post-quantum decryption, and a vault has as
// many as runs that added something. They never leave the process.

import type { Bytes } from "../../core/bytes.ts";
import { AppError } from "../../core/errors.ts";
import type { SessionId } from "../../core/ids.ts";
import { openSessionKey } from "../../crypto/session-key.ts";
import type { VaultPort } from "../../wire/v4/vault-port.ts";

type SealedKeySource = Pick<VaultPort, "sealedSessionKeys">;

export class SessionKeys {
  readonly #vault: SealedKeySource;
  readonly #identity: string;
  /** A key, or why there is none: a damaged one is not asked for twice. */
  readonly #keys = new Map<SessionId, Promise<Bytes>>();

  constructor(vault: SealedKeySource, identity: string) {
    this.#vault = vault;
    this.#identity = identity;
  }

  /** Fetches the sealed keys of all these sessions in one call. What goes wrong shows at `get`. */
  async prepare(sessions: Iterable<SessionId>): Promise<void> {
    const wanted = [...new Set(sessions)].filter((session) => !this.#keys.has(session));
    if (wanted.length === 0) return;
    const sealed = await this.#vault.sealedSessionKeys(wanted);
    for (const session of wanted) this.#remember(session, this.#open(session, sealed.get(session)));
  }

  /** Throws `record_corrupt` when the vault has no such key or it does not open. */
  async get(session: SessionId): Promise<Bytes> {
    const known = this.#keys.get(session);
    if (known) return known;
    await this.prepare([session]);
    return this.#keys.get(session)!;
  }

  #remember(session: SessionId, key: Promise<Bytes>): void {
    // Whoever gets it sees the failure; one that nobody gets must not end the program.
    key.catch(() => undefined);
    this.#keys.set(session, key);
  }

  async #open(session: SessionId, sealed: Bytes | undefined): Promise<Bytes> {
    if (sealed) return openSessionKey(sealed, this.#identity);
    throw new AppError("record_corrupt", {
      context: { what: `The key of session ${session.slice(0, 8)}`, detail: "the vault does not have it" },
    });
  }
}
