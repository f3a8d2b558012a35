// Sends what is due: all that waits for one channel goes as one message. What fails is tried again after a minute, then after twice
// as long each time, for a day. One channel that is slow or broken keeps no other one waiting.

import type { Clock } from "../../core/clock.ts";
import { isAppError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { Channel, ChannelStore } from "./channels.ts";
import { deliver } from "./deliver.ts";
import type { Mailer } from "./mail.ts";
import type { Notice } from "./notice.ts";
import type { Outcome } from "./outcome.ts";
import { post } from "./post.ts";
import type { NotifyQueue, PingWord, Queued } from "./queue.ts";

export type SenderOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly channels: ChannelStore;
  readonly queue: NotifyQueue;
  readonly mailer: Mailer | undefined;
  /** Address of an account; undefined when it is gone. */
  emailOf(person: string): string | undefined;
  /** Hears of each try, for metrics. */
  onTry(kind: Channel["kind"] | "ping", outcome: "sent" | "retried" | "given-up"): void;
};

const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 3_600_000;
/** About a day. */
const TRIES = 29;
/** About half an hour: a ping that comes late would say what is no longer so. */
const PING_TRIES = 6;
const AT_A_TIME = 200;
const IN_ONE_MESSAGE = 50;

export class Sender {
  readonly #options: SenderOptions;
  #running: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Sends what is due. While that goes on, another call waits for the same. Never throws. */
  run(): Promise<void> {
    this.#running ??= this.#sendDue().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Lets what is being sent end. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** One message by a channel, beside the queue. */
  async test(channel: Channel, notice: Notice, id: string): Promise<Outcome> {
    return this.#deliver(channel, id, [notice]);
  }

  async testPing(id: string): Promise<Outcome> {
    const outcome = await this.#ping(id, "success");
    this.#options.channels.notePing(id, outcome.isSent ? null : outcome.why);
    return outcome;
  }

  async #sendDue(): Promise<void> {
    const { queue, logger } = this.#options;
    try {
      const groups = Map.groupBy(queue.due(AT_A_TIME), ({ channel, ping, id }) => channel ?? `ping ${ping} ${id}`);
      await Promise.all([...groups.values()].map((group) => this.#sendGroup(group.slice(0, IN_ONE_MESSAGE))));
    } catch (error) {
      logger.error("notifications cannot be sent", { error: error as Error });
    }
  }

  async #sendGroup(group: readonly Queued[]): Promise<void> {
    const { channels, queue, logger, onTry } = this.#options;
    if (this.#isStopped) return;
    const [first] = group;
    const ids = group.map(({ id }) => id);
    const channel = first!.channel === null ? undefined : channels.byId(first!.channel);
    const kind = channel?.kind ?? "ping";
    try {
      const outcome = await this.#send(group, channel);
      if (outcome.isSent) {
        queue.sent(ids);
        onTry(kind, "sent");
        logger.debug("a notification was sent", { kind, count: ids.length, notification: first!.id });
      } else {
        const at = this.#nextTry(first!, outcome);
        queue.failed(ids, outcome.why, at);
        onTry(kind, at === undefined ? "given-up" : "retried");
        const about = { kind, channel: first!.channel ?? undefined, attempt: first!.attempts + 1, count: ids.length };
        logger.warn("a notification could not be sent", { ...about, state: at === undefined ? "given-up" : "waiting" });
      }
      const error = outcome.isSent ? null : outcome.why;
      if (channel) channels.note(channel.id, error);
      else if (first!.ping !== null) channels.notePing(first!.ping, error);
    } catch (error) {
      // The database, that is: what was sent may be sent again, under the same id.
      logger.error("a notification could not be noted", { kind, error: error as Error });
    }
  }

  async #send(group: readonly Queued[], channel: Channel | undefined): Promise<Outcome> {
    const [first] = group;
    if (first!.ping !== null) return this.#ping(first!.ping, "word" in first! ? first.word : "success");
    if (channel === undefined) return { isSent: false, isFinal: true, why: "its channel is gone" };
    if (!channel.isEnabled) return { isSent: false, isFinal: true, why: "its channel is switched off" };
    return this.#deliver(
      channel,
      first!.id,
      group.flatMap((queued) => ("notice" in queued ? [queued.notice] : [])),
    );
  }

  async #deliver(channel: Channel, id: string, notices: readonly Notice[]): Promise<Outcome> {
    const { channels, clock, mailer, emailOf } = this.#options;
    try {
      const target = channels.targetOf(channel.id);
      const to = channel.person === null ? undefined : emailOf(channel.person);
      return await deliver({ id, kind: channel.kind, target, to, notices, now: clock.now() }, mailer);
    } catch (error) {
      return { isSent: false, isFinal: true, why: isAppError(error) ? String(error.context.detail) : "of a bug" };
    }
  }

  /** healthchecks.io/docs/http_api: the address itself is success. */
  async #ping(id: string, word: PingWord): Promise<Outcome> {
    try {
      const url = new URL(this.#options.channels.pingUrl(id));
      if (word !== "success") url.pathname = `${url.pathname.replace(/\/+$/, "")}/${word}`;
      return await post({ url: url.href, method: "GET" });
    } catch (error) {
      return {
        isSent: false,
        isFinal: true,
        why: isAppError(error) ? String(error.context.detail) : "its address is none",
      };
    }
  }

  #nextTry(first: Queued, outcome: Outcome & { isSent: false }): number | undefined {
    if (outcome.isFinal) return undefined;
    const now = this.#options.clock.now();
    if (first.attempts + 1 >= (first.ping === null ? TRIES : PING_TRIES)) return undefined;
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(first.attempts, 10));
    return now + Math.max(waitMs, outcome.retryAfterMs ?? 0);
  }
}
