// The page's end of the worker that reads a vault. Locking ends the worker: no key outlives it, whatever was under way.

import { AppError } from "../../core/errors.ts";
import { windowPasskeys } from "../../crypto/passkey.ts";
import type { OpenedVaultView, ReaderApi, WindowApi } from "./reader-api.ts";
import { type CallOptions, type Endpoint, Peer, type Service } from "./rpc.ts";

const windowService: Service<WindowApi> = {
  wrapByPasskey: ({ credential, fileKey }) => windowPasskeys.wrap(credential, fileKey),
  unwrapByPasskey: ({ credential, stanzas }) => windowPasskeys.unwrap(credential, stanzas),
};

type EventOf<Name extends keyof ReaderApi> = ReaderApi[Name] extends { readonly event: infer Event } ? Event : never;

export class ReaderClient {
  readonly #worker: Worker;
  readonly #peer: Peer<ReaderApi>;

  constructor() {
    this.#worker = new Worker(new URL("./reader.worker.ts", import.meta.url), { type: "module", name: "reader" });
    this.#peer = new Peer<ReaderApi>(this.#worker as Endpoint, windowService);
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      const detail = event.message || "the worker that reads the vault could not start";
      this.close(new AppError("internal", { context: { detail } }));
    });
  }

  /** `vault`: name or id. */
  open(vault: string, options?: CallOptions<number>): Promise<OpenedVaultView> {
    return this.#peer.call("open", { vault }, options);
  }

  call<Name extends keyof ReaderApi & string>(
    name: Name,
    input: ReaderApi[Name]["input"],
    options?: CallOptions<EventOf<Name>>,
  ): Promise<ReaderApi[Name]["output"]> {
    return this.#peer.call(name, input, options as never);
  }

  /** Everything that waits fails with `reason`. */
  close(reason: AppError = new AppError("interrupted")): void {
    this.#peer.close(reason);
    this.#worker.terminate();
  }
}
