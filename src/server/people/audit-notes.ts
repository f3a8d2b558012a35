// What a handler knows of its request and the audit trail should: kept beside the request until it is over.

import type { IncomingMessage } from "node:http";

export type AuditNote = {
  readonly person?: string | undefined;
  /** Ids only. */
  readonly subject?: string | undefined;
  readonly seq?: number | undefined;
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
