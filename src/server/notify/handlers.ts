// The routes of notifications. A channel is its person's; those of the server itself (made on its machine) are its owners'. Whatever
// is somebody else's is "not found" for everybody else. Only owners set addresses that the server is to call.

import { AppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import {
  type ChannelAnswer,
  type DeliveryAnswer,
  NOTIFY_LIMITS,
  type NOTIFY_ROUTES,
  type PingAnswer,
} from "../../wire/v4/api/notify-routes.ts";
import type { Handlers } from "../http/call.ts";
import { hasRole, type Principal, roleOf } from "../http/principal.ts";
import type { Channel, Ping } from "./channels.ts";
import { digestTitle } from "./notice.ts";
import type { Outcome } from "./outcome.ts";
import type { NotifyParts } from "./part.ts";
import type { Queued } from "./queue.ts";
import { requireTimeZone } from "./when.ts";

export function notifyHandlers(parts: NotifyParts): Handlers<typeof NOTIFY_ROUTES> {
  const { channels, queue, sender, mailIsSetUp, testNotice, newId, kick } = parts;
  const shown = (channel: Channel): ChannelAnswer => {
    const { host, person, vaults, ...rest } = channel;
    const email = channel.kind === "email" && person !== null ? parts.emailOf(person) : undefined;
    const waiting = queue.waiting(channel.id);
    return { ...rest, person, vaults: vaults === null ? null : [...vaults], target: email ?? host, waiting };
  };

  return {
    notificationChannels({ principal }) {
      return { channels: visible(parts, principal).map(shown), mailIsSetUp };
    },

    addNotificationChannel({ principal, body, reply }) {
      const person = ownerOf(principal);
      if (body.kind === "email") {
        if (!mailIsSetUp) throw new AppError("mail_not_set_up");
        if (person === null) refuse("this machine has no e-mail address: sign in to make such a channel");
        if (body.url !== undefined || body.token !== undefined) refuse("e-mail goes to the address of the account");
      } else {
        requireServerOwner(principal);
        if (body.url === undefined) refuse("url: it is needed");
        checkUrl(body.url!, body.kind);
      }
      checkTimeZone(body.timeZone);
      if (channels.list(person).length >= NOTIFY_LIMITS.channelsPerPerson) {
        refuse(`there are ${NOTIFY_LIMITS.channelsPerPerson} channels already`);
      }
      const { channel, secret } = channels.add(person, body);
      reply.status = 201;
      return { channel: shown(channel), secret };
    },

    editNotificationChannel({ principal, params, body }) {
      const channel = theirs(parts, principal, params.id);
      if (body.url !== undefined || body.token !== undefined) {
        requireServerOwner(principal);
        if (channel.kind === "email") refuse("e-mail goes to the address of the account");
        if (body.url !== undefined) checkUrl(body.url, channel.kind);
      }
      if (body.timeZone !== undefined) checkTimeZone(body.timeZone);
      const changed = channels.edit(channel, body);
      kick();
      return shown(changed);
    },

    dropNotificationChannel({ principal, params }) {
      channels.drop(theirs(parts, principal, params.id).id);
      return undefined;
    },

    async testNotificationChannel({ principal, params }) {
      const channel = theirs(parts, principal, params.id);
      const outcome = await sender.test(channel, testNotice(), newId());
      channels.note(channel.id, outcome.isSent ? null : outcome.why);
      requireSent(outcome);
      return undefined;
    },

    notificationDeliveries({ principal }) {
      const ids = visible(parts, principal).map(({ id }) => id);
      const isOwner = hasRole(roleOf(principal), "owner");
      const found = queue.newest({ channels: ids, pings: isOwner }, NOTIFY_LIMITS.deliveries);
      return { deliveries: found.map(deliveryOf) };
    },

    pings({ vault }) {
      return { pings: channels.pings(vault.id).map(shownPing) };
    },

    addPing({ vault, body, reply }) {
      checkUrl(body.url, "webhook");
      if (channels.pings(vault.id).length >= NOTIFY_LIMITS.pingsPerVault) {
        refuse(`there are ${NOTIFY_LIMITS.pingsPerVault} pings already`);
      }
      reply.status = 201;
      return shownPing(channels.addPing(vault.id, body));
    },

    dropPing({ vault, params }) {
      channels.dropPing(knownPing(parts, vault.id, params.id).id);
      return undefined;
    },

    async testPing({ vault, params }) {
      requireSent(await sender.testPing(knownPing(parts, vault.id, params.id).id));
      return undefined;
    },
  };
}

/** One's own; to owners those of the server, too. */
function visible({ channels }: NotifyParts, principal: Principal): Channel[] {
  const own = principal.kind === "person" ? channels.list(principal.id) : [];
  return hasRole(roleOf(principal), "owner") ? [...own, ...channels.list(null)] : own;
}

function theirs(parts: NotifyParts, principal: Principal, id: string): Channel {
  const found = visible(parts, principal).find((channel) => channel.id === id);
  if (found === undefined) throw new AppError("not_found", { context: { what: "This channel" } });
  return found;
}

function knownPing({ channels }: NotifyParts, vault: VaultId, id: string): Ping {
  const ping = channels.ping(id);
  if (ping?.vault !== vault) throw new AppError("not_found", { context: { what: "This ping" } });
  return ping;
}

/** null: a channel of the server itself. */
function ownerOf(principal: Principal): string | null {
  return principal.kind === "person" ? principal.id : null;
}

function requireServerOwner(principal: Principal): void {
  if (hasRole(roleOf(principal), "owner")) return;
  throw new AppError("forbidden", { context: { caller: "this account", needed: "the role owner of the server" } });
}

function checkUrl(text: string, kind: Channel["kind"]): void {
  if (!URL.canParse(text)) refuse("url: it is no address");
  const url = new URL(text);
  // Node would send them on as an Authorization header, and people would see them in the host.
  if (url.username !== "" || url.password !== "") refuse("url: it has a user name or password in it");
  if (kind === "ntfy" && url.pathname.replace(/\//g, "") === "") refuse("url: it must end in the topic");
}

function checkTimeZone(timeZone: string): void {
  try {
    requireTimeZone(timeZone);
  } catch {
    refuse("timeZone: there is no such time zone");
  }
}

function requireSent(outcome: Outcome): void {
  if (!outcome.isSent) throw new AppError("notification_failed", { context: { detail: outcome.why } });
}

function refuse(detail: string): never {
  throw new AppError("request_invalid", { context: { detail } });
}

function shownPing({ id, device, plan, host, createdAt, lastSentAt, lastError }: Ping): PingAnswer {
  return { id, device, plan, target: host, createdAt, lastSentAt, lastError };
}

function deliveryOf(queued: Queued): DeliveryAnswer {
  const { id, channel, ping, state, attempts, createdAt, at, error } = queued;
  const subject = "notice" in queued ? digestTitle([queued.notice]) : queued.word;
  return { id, channel, ping, state, subject, attempts, createdAt, at, error };
}
