// Live events: what has happened, told to people as it happens (server-sent events, WHATWG HTML 9.2). The last few hundred are kept, so that who
// was away for a moment misses nothing; a reader that does not keep up is told that it missed some. Nobody hears of a vault that they may not see.

import type { VaultId } from "../core/ids.ts";
import type { ServerSentEvent } from "./http/call.ts";
import { hasRole, type Principal, type Role, roleOf } from "./http/principal.ts";

const KEPT = 512;
/** Events that wait for one reader. */
const BUFFERED = 256;

export type LiveEvent = {
  readonly name: string;
  readonly vault: VaultId | undefined;
  readonly data: Readonly<Record<string, unknown>>;
  /** Who hears of it at the least; a viewer, if nothing is said. */
  readonly least?: Role | undefined;
  /** An event that tells how something is now takes the place of the one before with the same key, for whoever was away. */
  readonly replaces?: string | undefined;
};

type Numbered = LiveEvent & { readonly seq: number };
type Reader = { readonly waiting: Numbered[]; hasMissed: boolean; wake: () => void };

export class EventStream {
  /** Part of each id: numbers begin anew with the server. */
  readonly #epoch: string;
  readonly #kept: Numbered[] = [];
  readonly #readers = new Set<Reader>();
  #seq = 0;

  constructor(startedAt: number) {
    this.#epoch = startedAt.toString(36);
  }

  publish(event: LiveEvent): void {
    const numbered = { ...event, seq: ++this.#seq };
    this.#dropReplaced(numbered);
    this.#kept.push(numbered);
    if (this.#kept.length > KEPT) this.#kept.shift();
    for (const reader of this.#readers) {
      if (reader.waiting.length < BUFFERED) reader.waiting.push(numbered);
      else reader.hasMissed = true;
      reader.wake();
    }
  }

  /** What happens from now on, or since `lastEventId`, until `signal` fires. `missed` says that some are lost: look at everything anew. */
  async *read(
    principal: Principal,
    lastEventId: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<ServerSentEvent> {
    const reader: Reader = { waiting: [], hasMissed: false, wake: () => undefined };
    const since = this.#seqOf(lastEventId);
    if (since === undefined) reader.hasMissed = lastEventId !== undefined;
    else {
      reader.hasMissed = (this.#kept[0]?.seq ?? this.#seq + 1) > since + 1;
      reader.waiting.push(...this.#kept.filter(({ seq }) => seq > since));
    }
    this.#readers.add(reader);
    const onAbort = (): void => reader.wake();
    signal.addEventListener("abort", onAbort);
    try {
      yield { id: this.#id(since ?? this.#seq), event: "hello", data: {} };
      while (!signal.aborted) {
        if (reader.hasMissed) {
          reader.hasMissed = false;
          reader.waiting.length = 0;
          yield { id: this.#id(this.#seq), event: "missed", data: {} };
        }
        for (let next = reader.waiting.shift(); next !== undefined; next = reader.waiting.shift()) {
          if (!mayHear(principal, next)) continue;
          const data = { ...(next.vault === undefined ? {} : { vault: next.vault }), ...next.data };
          yield { id: this.#id(next.seq), event: next.name, data };
        }
        if (signal.aborted || reader.hasMissed) continue;
        await new Promise<void>((resolve) => {
          reader.wake = resolve;
        });
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#readers.delete(reader);
    }
  }

  #dropReplaced({ replaces }: LiveEvent): void {
    if (replaces === undefined) return;
    const before = this.#kept.findIndex((kept) => kept.replaces === replaces);
    if (before < 0) return;
    // The first one says how far back there is anything.
    if (before > 0) this.#kept.splice(before, 1);
  }

  get readers(): number {
    return this.#readers.size;
  }

  #id(seq: number): string {
    return `${this.#epoch}-${seq}`;
  }

  #seqOf(id: string | undefined): number | undefined {
    const found = /^([0-9a-z]+)-(\d{1,15})$/.exec(id ?? "");
    return found?.[1] === this.#epoch ? Number(found[2]) : undefined;
  }
}

function mayHear(principal: Principal, { vault, least = "viewer" }: LiveEvent): boolean {
  return hasRole(roleOf(principal, vault), least);
}
