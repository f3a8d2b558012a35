// How each kind of channel wants a notice. Formats of others: docs.ntfy.sh/publish (as JSON), api.slack.com/messaging/webhooks,
// discord.com/developers/docs/resources/webhook. Of ours: docs/notifications.md.

import { createHmac } from "node:crypto";
import { AppError } from "../../core/errors.ts";
import type { ChannelKind } from "../../wire/v4/api/notify-routes.ts";
import type { Mailer } from "./mail.ts";
import { digestText, digestTitle, gravest, type Notice } from "./notice.ts";
import type { Outcome } from "./outcome.ts";
import { post } from "./post.ts";
import type { Target } from "./seal.ts";

export type Delivery = {
  /** Stays the same from try to try, so that whoever gets it twice can tell. */
  readonly id: string;
  readonly kind: ChannelKind;
  readonly target: Target;
  /** Of e-mail. */
  readonly to: string | undefined;
  readonly notices: readonly Notice[];
  readonly now: number;
};

/** Discord takes 2000 characters, ntfy 4096 bytes; a notice has a few hundred. */
const TEXT_CHARACTERS = { discord: 1900, ntfy: 1300, slack: 10_000 } as const;

/** Never throws but for what makes no sense: a channel without an address. */
export async function deliver(delivery: Delivery, mailer: Mailer | undefined): Promise<Outcome> {
  const { id, kind, target, to, notices } = delivery;
  const [title, text] = [digestTitle(notices), digestText(notices)];
  const isGrave = gravest(notices) === "danger";
  switch (kind) {
    case "email":
      if (mailer === undefined) return { isSent: false, isFinal: false, why: "no mail server is set up" };
      if (to === undefined) return { isSent: false, isFinal: true, why: "its account is gone" };
      return mailer.send({ id, to, subject: title, text, isGrave });
    case "webhook":
      return post(webhook(delivery));
    case "ntfy":
      return post(ntfy(urlOf(target), target.token, { title, text, isGrave }));
    case "slack":
      return post(
        json(urlOf(target), { text: escapedForSlack(`*${title}*\n${text}`).slice(0, TEXT_CHARACTERS.slack) }),
      );
    case "discord": {
      const content = `**${title}**\n${text}`.slice(0, TEXT_CHARACTERS.discord);
      // Names are people's own words: none of them calls anybody.
      return post(json(urlOf(target), { content, allowed_mentions: { parse: [] } }));
    }
  }
}

/** `t=SECONDS,v1=HEX`: HMAC-SHA-256 over `SECONDS.BODY`, so that an old one cannot be sent again as new. */
export function signatureOf(secret: string, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`;
}

function webhook({ id, target, notices, now }: Delivery) {
  const body = JSON.stringify({ type: "cyberbackup.notices", version: 1, id, sentAt: now, notices });
  const seconds = Math.floor(now / 1000);
  return {
    ...json(urlOf(target), {}, body),
    headers: {
      "content-type": "application/json",
      "x-cyberbackup-delivery": id,
      "x-cyberbackup-signature": signatureOf(target.secret ?? "", seconds, body),
      ...(target.token === undefined ? {} : { authorization: `Bearer ${target.token}` }),
    },
  };
}

/** The last part of the path is the topic; JSON goes to what is before it, since headers could not carry every name. */
function ntfy(url: string, token: string | undefined, about: { title: string; text: string; isGrave: boolean }) {
  const { origin, pathname } = new URL(url);
  const parts = pathname.replace(/\/+$/, "").split("/");
  const topic = decodeURIComponent(parts.pop() ?? "");
  const body = {
    topic,
    title: about.title,
    message: about.text.slice(0, TEXT_CHARACTERS.ntfy),
    priority: about.isGrave ? 5 : 3,
    tags: [about.isGrave ? "rotating_light" : "floppy_disk"],
  };
  const made = json(`${origin}${parts.join("/")}/`, body);
  return token === undefined ? made : { ...made, headers: { ...made.headers, authorization: `Bearer ${token}` } };
}

function json(url: string, value: unknown, body: string = JSON.stringify(value)) {
  return { url, body, headers: { "content-type": "application/json" } };
}

function escapedForSlack(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function urlOf({ url }: Target): string {
  if (url === undefined) throw new AppError("internal", { context: { detail: "a channel has no address." } });
  return url;
}
