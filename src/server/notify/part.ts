// Notifications as a part of the server: what happens becomes notices for each channel that is to hear of it, and pings; the sender
// sends them. docs/notifications.md.

import { toHex } from "../../core/bytes.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import { logDevices } from "../../vault/server-queries.ts";
import { NOTIFY_ROUTES } from "../../wire/v4/api/notify-routes.ts";
import { type Alert, SEVERITIES, type Severity } from "../../wire/v4/api/overview-routes.ts";
import type { Run } from "../../wire/v4/api/run-routes.ts";
import { mount } from "../http/call.ts";
import { hasRole, type Role } from "../http/principal.ts";
import type { GaugeFamily, PartModule, ServerKit, ServerPart } from "../kit.ts";
import { authSecret } from "../people/secret.ts";
import { PeopleStore } from "../people/store.ts";
import { type Channel, ChannelStore } from "./channels.ts";
import { notifyHandlers } from "./handlers.ts";
import type { Mailer } from "./mail.ts";
import type { Notice } from "./notice.ts";
import { NotifyQueue, type PingWord } from "./queue.ts";
import { NOTIFY_MIGRATIONS } from "./schema.ts";
import { TargetSeal } from "./seal.ts";
import { Sender } from "./sender.ts";
import { dueAt } from "./when.ts";

export type NotifyParts = {
  readonly channels: ChannelStore;
  readonly queue: NotifyQueue;
  readonly sender: Sender;
  readonly mailIsSetUp: boolean;
  testNotice(): Notice;
  newId(): string;
  emailOf(person: string): string | undefined;
  /** Looks at what is due. */
  kick(): void;
};

/** The clock may be set, and a machine may sleep. */
const LOOK_AGAIN_MS = 60_000;
const SWEEP_EVERY_MS = 3_600_000;

export type NotifyPart = ServerPart & { readonly sender: Sender };

export const NOTIFY_PART: PartModule = { migrations: NOTIFY_MIGRATIONS, make: makeNotifyPart };

export async function makeNotifyPart(kit: ServerKit): Promise<NotifyPart> {
  const { database, clock, random, logger, settings } = kit;
  const people = new PeopleStore({ database, clock, random });
  const seal = new TargetSeal({ authSecret: await authSecret(settings.data, random), random });
  const channels = new ChannelStore({ database, clock, random, seal });
  const queue = new NotifyQueue({ database, clock, random });
  const emailOf = (person: string): string | undefined => people.byId(person)?.email;
  const mailer = await mailerOf(kit);
  const sender = new Sender({
    ...{ clock, logger, channels, queue, mailer, emailOf },
    onTry: (kind, outcome) => kit.emit({ type: "notification", kind, outcome }),
  });
  let timer: NodeJS.Timeout | undefined;
  let isOn = false;
  const kick = (): void => {
    clearTimeout(timer);
    if (!isOn) return;
    const inMs = Math.max(0, (queue.nextAt() ?? Number.POSITIVE_INFINITY) - clock.now());
    timer = setTimeout(() => void sender.run().then(kick), Math.min(inMs, LOOK_AGAIN_MS)).unref();
  };
  const tell = (event: "raised" | "cleared", vault: VaultId | undefined, alert: Alert): void => {
    const notice = noticeOf(kit, event, vault, alert);
    for (const channel of channels.list()) {
      if (isFor(people, channel, notice)) enqueue(queue, channel, notice, clock.now());
    }
    kick();
  };
  const tellPings = (vault: VaultId, run: Run): void => {
    const word = wordOf(run);
    if (word === undefined) return;
    const isMeant = (ping: { device: DeviceId | null; plan: string | null }): boolean =>
      (ping.device ?? run.device) === run.device && (ping.plan ?? run.planId) === run.planId;
    for (const ping of channels.pings(vault).filter(isMeant)) {
      queue.add({ ping: ping.id }, `${run.run}:${word}`, word, clock.now());
    }
    kick();
  };
  const parts: NotifyParts = {
    ...{ channels, queue, sender, emailOf, kick, mailIsSetUp: mailer !== undefined },
    testNotice: () => testNotice(kit),
    newId: () => toHex(random.bytes(16)),
  };
  let sweeping: NodeJS.Timeout | undefined;
  return {
    sender,
    routes: mount(NOTIFY_ROUTES, notifyHandlers(parts)),
    gauges() {
      const { waiting, oldestAt } = queue.counts();
      const ageSeconds = oldestAt === undefined ? 0 : Math.max(0, clock.now() - oldestAt) / 1000;
      return [
        one("notifications_waiting", "Notices that have not gone out yet.", waiting),
        one("notification_oldest_waiting_seconds", "How long the oldest of them has waited.", ageSeconds),
      ];
    },
    onEvent(event) {
      if (event.type === "alert-raised") tell("raised", event.vault, event.alert);
      if (event.type === "alert-cleared") tell("cleared", event.vault, event.alert);
      if (event.type === "run") tellPings(event.vault, event.run);
    },
    start() {
      isOn = true;
      queue.sweep();
      sweeping = setInterval(() => queue.sweep(), SWEEP_EVERY_MS).unref();
      kick();
    },
    async stop() {
      isOn = false;
      clearTimeout(timer);
      clearInterval(sweeping);
      await sender.stop();
    },
  };
}

function one(name: string, help: string, value: number): GaugeFamily {
  return { name, help, labels: [], values: [{ labels: {}, value }] };
}

/** The library comes in only where e-mail is set up. */
async function mailerOf({ settings }: ServerKit): Promise<Mailer | undefined> {
  if (settings.mail === undefined) return undefined;
  const { makeMailer } = await import("./mail.ts");
  return makeMailer(settings.mail);
}

/** Channels hear of what their people may see at that time, and of no more than they asked for. */
function isFor(people: PeopleStore, channel: Channel, { vault, severity }: Notice): boolean {
  if (!channel.isEnabled || (channel.severity === "danger" && severity !== "danger")) return false;
  if (channel.vaults !== null && (vault === null || !channel.vaults.includes(vault as VaultId))) return false;
  if (channel.person === null) return true;
  const person = people.byId(channel.person);
  const roles: (Role | null | undefined)[] = [
    person?.role,
    person?.grants.find((grant) => grant.vault === vault)?.role,
  ];
  return roles.some((role) => hasRole(role ?? undefined, "viewer"));
}

/** What is over before it was told needs not be told at all; what was told is told to be over. */
function enqueue(queue: NotifyQueue, channel: Channel, notice: Notice, now: number): void {
  const to = { channel: channel.id };
  if (notice.event !== "cleared") {
    // One that grows worse is told again.
    queue.add(to, raisedCause(notice, notice.severity), notice, dueAt(now, notice.severity, channel));
    return;
  }
  let wasTold = false;
  for (const cause of SEVERITIES.map((severity) => raisedCause(notice, severity))) {
    const raised = queue.stateOf(channel.id, cause);
    if (raised?.state === "waiting" && raised.attempts === 0) queue.forget(channel.id, cause);
    else wasTold ||= raised !== undefined;
  }
  // That something is over is good news: it can wait.
  if (wasTold) queue.add(to, `${notice.alert}:cleared`, notice, dueAt(now, "warning", channel));
}

function raisedCause({ alert }: Notice, severity: Severity): string {
  return `${alert}:raised:${severity}`;
}

function noticeOf(kit: ServerKit, event: Notice["event"], vault: VaultId | undefined, alert: Alert): Notice {
  const { id, device, action: _, ...about } = alert;
  return {
    ...about,
    ...{ event, alert: id, device, vault: vault ?? null },
    vaultName: vault === undefined ? null : (kit.vaults.byNameOrId(vault)?.name ?? null),
    deviceName: vault === undefined || device === null ? null : deviceName(kit, vault, device),
    server: kit.settings.publicUrl ?? null,
  };
}

function deviceName({ vaults }: ServerKit, vault: VaultId, device: DeviceId): string | null {
  const served = vaults.byNameOrId(vault);
  if (served === undefined || served.problem !== undefined) return null;
  return logDevices(served.vault.context).get(device)?.name ?? null;
}

function testNotice({ clock, settings }: ServerKit): Notice {
  return {
    ...{ event: "test", alert: "test", kind: "test", severity: "warning", vault: null, vaultName: null, device: null },
    ...{ deviceName: null, plan: null, run: null, job: null, since: clock.now(), clearedAt: null, values: {} },
    server: settings.publicUrl ?? null,
  };
}

/** Who cancels a run on purpose is told nothing, and the watchdog's own patience decides. */
function wordOf({ kind, state }: Run): PingWord | undefined {
  if (kind !== "backup") return undefined;
  if (state === "running") return "start";
  if (state === "done") return "success";
  return state === "failed" || state === "refused" || state === "interrupted" ? "fail" : undefined;
}
