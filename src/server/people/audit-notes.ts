// What a handler knows of its request and the audit trail should: kept beside the request until it is over.

import type { IncomingMessage } from "node:http";
import type { VaultId } from "../../core/ids.ts";

export type AuditNote = {
  readonly person?: string | undefined;
  /** In place of the route's name. */
  readonly action?: string | undefined;
  readonly vault?: VaultId | undefined;
  /** Ids only. */
  readonly subject?: string | undefined;
  readonly seq?: number | undefined;
  /** Nothing was decided or changed: no entry. */
  readonly isUneventful?: boolean | undefined;
};

export class AuditNotes {
  readonly #notes = new WeakMap<IncomingMessage, AuditNote>();

  add(request: IncomingMessage, note: AuditNote): void {
    this.#notes.set(request, { ...this.#notes.get(request), ...note });
  }

  of(request: IncomingMessage): AuditNote {
    return this.#notes.get(request) ?? {};
  }
}
