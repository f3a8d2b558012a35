// Which calls go into the audit trail, and as what: whatever people, keys and this machine change or try to change, and whatever
// nobody tries to get in. Devices' own backups are not in it; the vault's log has those.

import type { DEVICE_ROUTES } from "../../wire/v4/api/device-routes.ts";
import type { Principal } from "../http/principal.ts";
import type { AuditedAction, FinishedCall } from "../kit.ts";
import type { AuditEntry } from "./audit.ts";
import type { AuditNote } from "./audit-notes.ts";
import type { PeopleStore } from "./store.ts";

/**
 * Questions that are too long for an address. A restore asks thousands of them: they would push out what the trail is for, and each entry
 * waits for the disk. That somebody reads a vault is in the trail by `sessionKeys`, which comes before.
 */
const READS_BY_POST: ReadonlySet<string> = new Set<keyof typeof DEVICE_ROUTES>(["locateChunks", "fetchBlocks"]);

type NewEntry = Omit<AuditEntry, "id" | "at">;

/** What was never judged: it was delayed, or was no proper request. A flood of those must not fill the disk. */
const UNJUDGED: ReadonlySet<string> = new Set([
  "too_many_requests",
  "request_invalid",
  "media_unknown",
  "limit",
  "interrupted",
]);

/** Undefined for what is not audited. */
export function entryOfCall(call: FinishedCall, note: AuditNote, store: PeopleStore): NewEntry | undefined {
  const { name, route, principal, outcome } = call;
  const isRead = route.method === "GET" || READS_BY_POST.has(name);
  if (isRead || note.isUneventful || UNJUDGED.has(outcome)) return undefined;
  if (principal.kind === "device" || route.who.every((who) => who === "device")) return undefined;
  // Nobody, turned away at the door of a route that asks for somebody: noise of the internet.
  if (principal.kind === "nobody" && !route.who.includes("anyone")) return undefined;
  if (isDeviceLogin(call)) return undefined;
  const subject = note.subject ?? subjectOf(call.params);
  const action = note.action ?? call.name;
  const vault = call.vault ?? note.vault ?? null;
  const who = actor(principal, note, store);
  return {
    ...who,
    action,
    vault,
    subject,
    outcome,
    ...whereOf(call),
    seq: note.seq ?? call.seq ?? null,
  };
}

/** For what is no call by itself. */
export function entryOfAction({ principal, address, action, vault, detail }: AuditedAction): NewEntry {
  const by = principal.kind === "device" ? `device ${principal.device}` : byOf(principal);
  const person = principal.kind === "person" ? principal : undefined;
  return {
    by,
    person: person?.id ?? null,
    name: person?.name ?? null,
    action,
    vault: vault ?? null,
    subject: detail ?? null,
    outcome: "ok",
    address,
    requestId: null,
    seq: null,
  };
}

function whereOf(call: FinishedCall): Pick<AuditEntry, "address" | "requestId"> {
  return { address: call.address, requestId: call.requestId };
}

function actor(principal: Principal, note: AuditNote, store: PeopleStore): Pick<AuditEntry, "by" | "person" | "name"> {
  if (principal.kind === "person") return { by: byOf(principal), person: principal.id, name: principal.name };
  const person = note.person === undefined ? undefined : store.byId(note.person);
  return { by: byOf(principal), person: person?.id ?? null, name: person?.name ?? null };
}

function byOf(principal: Principal): string {
  if (principal.kind === "person") return principal.via === "key" ? "key" : "person";
  return principal.kind;
}

function isDeviceLogin({ route }: FinishedCall): boolean {
  return route.body?.kind === "msgpack" && route.who.includes("anyone");
}

/** Ids in the path, but the vault's, which has a column of its own. */
function subjectOf(params: Readonly<Record<string, unknown>>): string | null {
  const ids = Object.entries(params).flatMap(([name, value]) => (name === "vault" ? [] : [String(value)]));
  return ids.length === 0 ? null : ids.join(" ");
}
