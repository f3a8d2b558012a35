// What the parts of the server (device API, people, jobs) are given, and what each part brings. app.ts puts them together;
// parts know each other only through this.

import type { IncomingMessage } from "node:http";
import type { Clock, RandomSource } from "../core/clock.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { DeviceId, NameToken, SessionId, SnapshotId, VaultId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import type { LogTail, LogView } from "../node/log/tail.ts";
import type { Database } from "../vault/database.ts";
import type { Usage } from "../wire/v4/api/job-routes.ts";
import type { ChannelKind } from "../wire/v4/api/notify-routes.ts";
import type { Alert, LogLine } from "../wire/v4/api/overview-routes.ts";
import type { Command } from "../wire/v4/api/plan-routes.ts";
import type { Route } from "../wire/v4/api/route.ts";
import type { Run } from "../wire/v4/api/run-routes.ts";
import type { Migrations } from "./database.ts";
import type { GatewaySlot } from "./gateway-part.ts";
import type { Mounted, RawRoute } from "./http/call.ts";
import type { Principal } from "./http/principal.ts";
import type { AttemptLimits } from "./limits/attempts.ts";
import type { RunningCalls } from "./running-calls.ts";
import type { ServerSettings } from "./settings.ts";
import type { ServerIdentity } from "./tls/identity.ts";
import type { ServedVault, VaultRegistry } from "./vaults.ts";

export type PasswordHashing = {
  hash(password: string): Promise<string>;
  verify(asked: { readonly hash: string; readonly password: string }): Promise<boolean>;
};

export type ServerKit = {
  readonly settings: ServerSettings;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** How passwords of people are kept; undefined: by scrypt, as the library does it. */
  readonly passwordHashing: PasswordHashing | undefined;
  /** The last lines of the log, and how serious they must be to be logged. */
  readonly log: LogView;
  readonly database: Database;
  readonly vaults: VaultRegistry;
  readonly running: RunningCalls;
  /** Delays for whatever can be guessed. */
  readonly attempts: AttemptLimits;
  /** `https://host:port` of this server, as browsers may have it. Known once it listens. */
  readonly origins: ReadonlySet<string>;
  /** Where it listens; undefined before, and for a door that it does not have. */
  ports(): { readonly https: number | undefined; readonly http: number | undefined };
  /** Whether anybody could sign in as an owner. */
  hasOwner(): boolean;
  /** What the server shows in TLS, as it is now. */
  identity(): ServerIdentity;
  /** Path and fragment of the page's address where the first owner is made; undefined once there is one. */
  setupPath(): string | undefined;
  /** Has whoever runs the server stop it; nothing happens where nobody listens for that. */
  askToStop(): void;
  /** Fires when the server begins to stop. */
  readonly stopping: AbortSignal;
  /** Open connections. */
  connections(): number;
  /** The last lines of the server's log. */
  readonly logTail: LogTail;
  /** Of the gateway for clients of CyberBackup 3, which whoever starts the server may start beside it. */
  readonly gateway: GatewaySlot;
  /** What a vault, or one device in it, stores: of the part that counts. */
  usage(vault: ServedVault, device?: DeviceId): Promise<Usage>;
  /** Asks all parts; throws `quota_full`, `server_full` or `server_stopping`. */
  admit(what: Admission): Promise<Allowance>;
  /** What parts tell in metrics, as it is now. */
  gauges(): GaugeFamily[];
  /** Tells all parts. */
  emit(event: ServerEvent): void;
  audit(action: AuditedAction): void;
};

/** What a device is about to do that costs space. */
export type Admission =
  | { readonly kind: "session"; readonly vault: ServedVault; readonly device: DeviceId }
  /** `sizeBytes` is what the sender announces; undefined when it does not. */
  | {
      readonly kind: "pack";
      readonly vault: ServedVault;
      readonly device: DeviceId;
      readonly sizeBytes: number | undefined;
    };

/** Room that a pack may take while it arrives, held so that packs which come at a time cannot pass a quota together. */
export type Allowance = {
  /** So many bytes have come: throws `quota_full` when that is more than there is room for. */
  take(bytes: number): void;
  /** Gives back what was held. With its blockNos the pack is part of the vault now, unless it was so before. */
  end(blockNos: readonly number[] | undefined): void;
};

/** What has happened, for live events, metrics and the output of `serve`. Never holds a name from inside a backup. */
export type ServerEvent =
  | { readonly type: "device-login"; readonly vault: VaultId; readonly device: DeviceId }
  | {
      readonly type: "session-open";
      readonly vault: VaultId;
      readonly device: DeviceId;
      readonly session: SessionId;
      readonly plan: NameToken;
      /** True for a device in the server's own process. */
      readonly isGateway?: boolean;
    }
  | {
      readonly type: "session-refused";
      readonly vault: VaultId;
      readonly device: DeviceId;
      readonly session: SessionId;
      readonly plan: NameToken;
      readonly code: ErrorCode;
    }
  | { readonly type: "session-close"; readonly vault: VaultId; readonly device: DeviceId; readonly session: SessionId }
  | {
      readonly type: "pack";
      readonly vault: VaultId;
      readonly device: DeviceId;
      readonly session: SessionId;
      readonly sizeBytes: number;
      readonly durationMs: number;
    }
  | {
      readonly type: "commit";
      readonly vault: VaultId;
      readonly device: DeviceId;
      readonly session: SessionId;
      readonly snapshot: SnapshotId;
    }
  /** A run as it is now: it has begun, gone on or ended. */
  | { readonly type: "run"; readonly vault: VaultId; readonly run: Run }
  | {
      readonly type: "device-connected" | "device-disconnected";
      readonly vault: VaultId;
      readonly device: DeviceId;
    }
  | {
      readonly type: "plan";
      readonly vault: VaultId;
      readonly device: DeviceId;
      readonly plan: string;
      readonly version: number;
      readonly deleted: boolean;
    }
  | { readonly type: "command"; readonly vault: VaultId; readonly device: DeviceId; readonly command: Command }
  /** Of the server itself when there is no vault. */
  | {
      readonly type: "alert-raised" | "alert-cleared";
      readonly vault: VaultId | undefined;
      readonly alert: Alert;
    }
  | { readonly type: "log"; readonly vault: undefined; readonly line: LogLine }
  | { readonly type: "enrolled"; readonly vault: VaultId; readonly device: DeviceId; readonly name: string }
  | { readonly type: "statement"; readonly vault: VaultId; readonly statement: string }
  | { readonly type: "vault-made"; readonly vault: VaultId; readonly name: string }
  | {
      readonly type: "request";
      readonly requestId: string;
      /** What the caller names its run by, if it does. */
      readonly run: string | undefined;
      readonly vault: VaultId | undefined;
      readonly device: DeviceId | undefined;
      readonly session: SessionId | undefined;
      readonly method: string;
      readonly route: string;
      readonly status: number;
      readonly durationMs: number;
      readonly bytesIn: number;
      readonly bytesOut: number;
      readonly caller: Principal["kind"];
    }
  /** A try to send one. */
  | {
      readonly type: "notification";
      readonly kind: ChannelKind | "ping";
      readonly outcome: "sent" | "retried" | "given-up";
    }
  | {
      readonly type: "job";
      /** Of the server itself when there is none. */
      readonly vault: VaultId | undefined;
      readonly job: string;
      readonly kind: string;
      readonly state: string;
      readonly dryRun: boolean;
    };

/** A privileged action, for the audit trail. */
export type AuditedAction = {
  readonly principal: Principal;
  readonly address: string;
  /** `device-revoke`, `vault-made`, `invite-made`, … */
  readonly action: string;
  readonly vault?: VaultId | undefined;
  /** Ids only. */
  readonly detail?: string | undefined;
  /** The call that it is the whole of: the trail has one entry for both, with its outcome. */
  readonly request?: IncomingMessage | undefined;
};

/** A call of a route that is over, however it went. */
export type FinishedCall = {
  /** Name of the route. */
  readonly name: string;
  readonly route: Route;
  readonly principal: Principal;
  readonly params: Readonly<Record<string, unknown>>;
  readonly vault: VaultId | undefined;
  /** `ok`, or what it was refused with or failed on. */
  readonly outcome: "ok" | ErrorCode;
  /** Entry of the vault's log that came of it, where the answer says so. */
  readonly seq: number | undefined;
  readonly requestId: string;
  readonly address: string;
  readonly request: IncomingMessage;
};

/** Metrics of one name, without its prefix. */
export type GaugeFamily = {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly values: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
};

/** All are optional: a part brings what it has. */
export type ServerPart = {
  /** Read when metrics are asked for. */
  gauges?(): GaugeFamily[];
  readonly routes?: readonly Mounted[];
  readonly raw?: readonly RawRoute[];
  /** By token, cookie or API key; undefined when there is none of this part's, an AppError when it is wrong. */
  authenticate?(request: IncomingMessage, address: string): Promise<Principal | undefined>;
  /** Throws to refuse. */
  admit?(what: Admission): Allowance | undefined | Promise<Allowance | undefined>;
  /** Bytes and snapshots of a vault or one device in it, from the part that keeps count of them. */
  usage?(vault: ServedVault, device?: DeviceId): Promise<Usage>;
  onEvent?(event: ServerEvent): void;
  audit?(action: AuditedAction): void;
  onCall?(call: FinishedCall): void;
  /** Token of the link by which the first owner is made; undefined once there is one. */
  setupToken?(): string | undefined;
  hasOwner?(): boolean;
  /** After the listeners are up. */
  start?(): void | Promise<void>;
  /** Before running requests are waited for: jobs are to stop where nothing is lost. */
  stop?(): void | Promise<void>;
};

export type PartModule = {
  readonly migrations?: Migrations;
  make(kit: ServerKit): ServerPart | Promise<ServerPart>;
};
