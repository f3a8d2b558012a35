// Channels and dead man's pings as rows. Addresses are sealed; what is shown of one is its host.

import { toHex } from "../../core/bytes.ts";
import type { Clock, RandomSource } from "../../core/clock.ts";
import type { DeviceId, VaultId } from "../../core/ids.ts";
import type { Database } from "../../vault/database.ts";
import type { ChannelChange, ChannelKind, NewChannel } from "../../wire/v4/api/notify-routes.ts";
import type { Severity } from "../../wire/v4/api/overview-routes.ts";
import type { StoreParts } from "../store-parts.ts";
import type { Target, TargetSeal } from "./seal.ts";
import type { Patience } from "./when.ts";

export type Channel = Patience & {
  readonly id: string;
  readonly person: string | null;
  readonly kind: ChannelKind;
  readonly name: string;
  readonly host: string;
  readonly severity: Severity;
  readonly vaults: readonly VaultId[] | null;
  readonly isEnabled: boolean;
  readonly createdAt: number;
  readonly lastSentAt: number | null;
  readonly lastFailedAt: number | null;
  readonly lastError: string | null;
};

export type Ping = {
  readonly id: string;
  readonly vault: VaultId;
  readonly device: DeviceId | null;
  readonly plan: string | null;
  readonly host: string;
  readonly createdAt: number;
  readonly lastSentAt: number | null;
  readonly lastError: string | null;
};

type Row = { readonly sealed: Uint8Array; readonly [column: string]: null | number | string | Uint8Array };

export class ChannelStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #seal: TargetSeal;

  constructor({ database, clock, random, seal }: StoreParts & { readonly seal: TargetSeal }) {
    this.#database = database;
    this.#clock = clock;
    this.#random = random;
    this.#seal = seal;
  }

  /** All of them, or those of one person (null: of the server itself). */
  list(person?: string | null): Channel[] {
    const where = person === undefined ? "1" : "person IS ?";
    const rows = this.#database.all<Row>(
      `SELECT * FROM notify_channel WHERE ${where} ORDER BY createdAt, id`,
      ...(person === undefined ? [] : [person]),
    );
    return rows.map(channelOf);
  }

  byId(id: string): Channel | undefined {
    const row = this.#database.get<Row>("SELECT * FROM notify_channel WHERE id = ?", id);
    return row && channelOf(row);
  }

  add(person: string | null, { url, token, ...wish }: NewChannel): { channel: Channel; secret: string | null } {
    const id = this.#newId();
    const secret = wish.kind === "webhook" ? Buffer.from(this.#random.bytes(32)).toString("base64url") : undefined;
    const sealed = this.#seal.seal(id, { url, token, secret });
    this.#database.run(
      `INSERT INTO notify_channel (id, person, kind, name, host, sealed, severity, vaults, digest, digestHour, quiet, timeZone,
       isEnabled, createdAt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[id, person, wish.kind, wish.name, hostOf(url), sealed],
      ...columnsOf(wish),
      this.#clock.now(),
    );
    return { channel: this.byId(id)!, secret: secret ?? null };
  }

  edit(channel: Channel, { url, token, ...change }: ChannelChange): Channel {
    const wish = { ...channel, ...definedOf(change) } as Channel;
    this.#database.transaction(() => {
      this.#database.run(
        `UPDATE notify_channel SET name = ?, severity = ?, vaults = ?, digest = ?, digestHour = ?, quiet = ?, timeZone = ?,
         isEnabled = ? WHERE id = ?`,
        wish.name,
        ...columnsOf(wish),
        channel.id,
      );
      if (url === undefined && token === undefined) return;
      const target = { ...this.targetOf(channel.id), ...definedOf({ url, token }) };
      const sql = "UPDATE notify_channel SET sealed = ?, host = ?, lastError = NULL WHERE id = ?";
      this.#database.run(sql, this.#seal.seal(channel.id, target), hostOf(target.url), channel.id);
    });
    return this.byId(channel.id)!;
  }

  drop(id: string): void {
    this.#database.run("DELETE FROM notify_channel WHERE id = ?", id);
  }

  /** Throws `notification_failed`. */
  targetOf(id: string): Target {
    const row = this.#database.get<Row>("SELECT sealed FROM notify_channel WHERE id = ?", id);
    return row === undefined ? {} : this.#seal.open(id, row.sealed);
  }

  note(id: string, error: string | null): void {
    const column = error === null ? "lastSentAt" : "lastFailedAt";
    const sql = `UPDATE notify_channel SET ${column} = ?, lastError = ? WHERE id = ?`;
    this.#database.run(sql, this.#clock.now(), error, id);
  }

  pings(vault: VaultId): Ping[] {
    return this.#database
      .all<Row>("SELECT * FROM notify_ping WHERE vault = ? ORDER BY createdAt, id", vault)
      .map((row) => row as unknown as Ping);
  }

  ping(id: string): Ping | undefined {
    return this.#database.get<Row>("SELECT * FROM notify_ping WHERE id = ?", id) as unknown as Ping | undefined;
  }

  addPing(vault: VaultId, wish: { url: string; device: DeviceId | null; plan: string | null }): Ping {
    const id = this.#newId();
    this.#database.run(
      "INSERT INTO notify_ping (id, vault, device, plan, host, sealed, createdAt) VALUES (?, ?, ?, ?, ?, ?, ?)",
      ...[
        id,
        vault,
        wish.device,
        wish.plan,
        hostOf(wish.url),
        this.#seal.seal(id, { url: wish.url }),
        this.#clock.now(),
      ],
    );
    return this.ping(id)!;
  }

  dropPing(id: string): void {
    this.#database.run("DELETE FROM notify_ping WHERE id = ?", id);
  }

  /** Throws `notification_failed`. */
  pingUrl(id: string): string {
    const row = this.#database.get<Row>("SELECT sealed FROM notify_ping WHERE id = ?", id);
    return (row && this.#seal.open(id, row.sealed).url) ?? "";
  }

  notePing(id: string, error: string | null): void {
    if (error === null) {
      const sql = "UPDATE notify_ping SET lastSentAt = ?, lastError = NULL WHERE id = ?";
      this.#database.run(sql, this.#clock.now(), id);
    } else this.#database.run("UPDATE notify_ping SET lastError = ? WHERE id = ?", error, id);
  }

  #newId(): string {
    return toHex(this.#random.bytes(16));
  }
}

function channelOf({ sealed: _, ...row }: Row): Channel {
  return {
    ...(row as unknown as Channel),
    vaults: row.vaults === null ? null : (JSON.parse(String(row.vaults)) as VaultId[]),
    quiet: row.quiet === null ? null : (JSON.parse(String(row.quiet)) as Patience["quiet"]),
    isEnabled: row.isEnabled === 1,
  };
}

function columnsOf(wish: Pick<Channel, "severity" | "vaults" | "isEnabled"> & Patience) {
  return [
    ...[wish.severity, wish.vaults === null ? null : JSON.stringify(wish.vaults), wish.digest, wish.digestHour],
    ...[wish.quiet === null ? null : JSON.stringify(wish.quiet), wish.timeZone, wish.isEnabled ? 1 : 0],
  ];
}

function hostOf(url: string | undefined): string {
  return url === undefined || !URL.canParse(url) ? "" : new URL(url).host;
}

function definedOf<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}
