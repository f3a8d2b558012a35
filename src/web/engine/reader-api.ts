// What the page may ask of the worker that reads a vault, and what the worker may ask of the page. Raw paths go through as they are;
// texts beside them are for people. No key and no passphrase ever comes back to the page.

import type { Bytes } from "../../core/bytes.ts";
import type { DeviceId, KeyslotId, SessionId, SnapshotId, VaultId } from "../../core/ids.ts";
import type { RawPath } from "../../core/raw-path.ts";
import type { PlainStanza } from "../../crypto/passkey.ts";
import type { ChangeKind } from "../../engine/reader/diff.ts";
import type { SnapshotStats } from "../../engine/snapshot-info.ts";
import type { PlanChange } from "../../wire/v4/api/plan-routes.ts";
import type { Plan, PlanInput } from "../../wire/v4/plan-body.ts";
import type { EntryType } from "../../wire/v4/tree-types.ts";
import type { KeyslotRow } from "../../wire/v4/vault-port.ts";

export type OpenedVaultView = { readonly vault: VaultId; readonly keyslots: readonly KeyslotRow[] };

export type Unlocking =
  | { readonly by: "passphrase"; readonly passphrase: string }
  /** Text of an age identity file, or one identity. */
  | { readonly by: "recovery"; readonly text: string }
  | { readonly by: "passkey"; readonly slot: KeyslotId };

export type PasskeyWish = {
  /** `AGE-PLUGIN-FIDO2PRF-1…`, as `createPasskey` answers it. */
  readonly credential: string;
  readonly label: string;
  /** For a browser that is no device of the vault yet. */
  readonly vaultName: string;
  readonly deviceName: string;
};

export type UnlockStep = "checking" | "opening";

export type LogProblem = { readonly object: string; readonly detail: string };

export type SnapshotView = {
  readonly id: SnapshotId;
  /** When the server received it. */
  readonly receivedAt: number;
  readonly device: DeviceId;
  readonly deviceName: string;
  readonly isPinned: boolean;
  /** Absent until its record is opened. */
  readonly info?: {
    readonly host: string;
    readonly plan: string;
    readonly tags: readonly string[];
    readonly paths: readonly { readonly raw: RawPath; readonly text: string }[];
    readonly startedAt: number;
    readonly endedAt: number;
    readonly stats: SnapshotStats;
    readonly errors: { readonly count: number; readonly first: readonly { path: string; reason: string }[] };
  };
  /** Why it cannot be opened. */
  readonly problem?: string;
};

/** What a device sealed about one of its runs (engine/run-details.ts), with paths as they are shown. */
export type RunDetailsView = {
  readonly plan: string;
  readonly host: string;
  readonly message: string;
  readonly paths: readonly string[];
  readonly problems: readonly { readonly path: string; readonly code: string }[];
  readonly more: number;
};

export type SortKey = "name" | "size" | "time";
export type SortOrder = { readonly by: SortKey; readonly descending: boolean };

/** A list that the worker holds; its rows are asked for as they come into sight. */
export type ListView = { readonly list: number; readonly count: number };

export type RowView = {
  /** Number of the entry in its list: stays while rows move. */
  readonly entry: number;
  readonly path: RawPath;
  readonly name: string;
  /** Path of what it lies in, for people; only where a list mixes folders. */
  readonly folder?: string;
  readonly type: EntryType;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly mtimeMs: number;
  readonly depth: number;
  readonly isOpen: boolean;
  readonly change?: ChangeKind;
  /** Size before the change. */
  readonly sizeBefore?: number;
};

export type VersionView = {
  readonly snapshot: SnapshotId;
  readonly receivedAt: number;
  readonly deviceName: string;
  readonly type: EntryType;
  readonly size: number;
  readonly mtimeMs: number;
  /** Later snapshots in which it is the same. */
  readonly alsoIn: number;
};

export type PreviewView =
  | { readonly kind: "text"; readonly text: string; readonly isCut: boolean }
  | { readonly kind: "image" | "pdf"; readonly mediaType: string; readonly bytes: Bytes }
  | { readonly kind: "none"; readonly reason: "empty" | "binary" | "too_large"; readonly head: string };

export type TransferProgress = {
  readonly phase: "counting" | "writing" | "checking";
  readonly files: number;
  readonly bytes: number;
  /** Undefined until everything is counted. */
  readonly totalFiles: number | undefined;
  readonly totalBytes: number | undefined;
  readonly current: string;
};

/** Something of a transfer that is not as in the backup, and why. */
export type TransferNote = {
  readonly path: string;
  readonly kind: "failed" | "renamed" | "left" | "unsupported";
  readonly detail: string;
};

export type TransferResult = {
  readonly files: number;
  readonly folders: number;
  readonly bytes: number;
  /** The first thousand. */
  readonly notes: readonly TransferNote[];
  readonly noteCount: number;
};

/** A file that the person chose, or one in this browser's own storage that the page then hands out as a download. */
export type SaveTarget = { readonly to: "handle"; readonly handle: FileSystemFileHandle } | { readonly to: "storage" };

export type ReaderApi = {
  open: { readonly input: { readonly vault: string }; readonly output: OpenedVaultView; readonly event: number };
  unlock: { readonly input: Unlocking; readonly output: null; readonly event: UnlockStep };
  /** Makes this browser a device of the unlocked vault (backup/browser-device.ts); its keys go to this browser's storage. */
  enrol: { readonly input: { readonly vaultName: string; readonly name: string }; readonly output: null };
  /** Signed by the device that this browser is. `identity`: of a new recovery key, shown once. */
  addKeyslot: {
    readonly input: ({ readonly kind: "passphrase"; readonly passphrase: string } | { readonly kind: "recovery" }) & {
      readonly label: string;
    };
    readonly output: { readonly identity?: string };
  };
  /** An enrolment code for one more device, made with the vault's writer secrets. */
  invite: {
    readonly input: {
      readonly name: string;
      readonly address: string;
      readonly pin: Bytes | undefined;
      readonly hours: number;
    };
    readonly output: { readonly code: string; readonly endsAt: number };
  };
  runDetails: {
    readonly input: { readonly run: SessionId; readonly device: DeviceId };
    readonly output: RunDetailsView;
  };
  /** Bodies of a device's plans, as far as they can be opened. */
  planBodies: {
    readonly input: { readonly device: DeviceId };
    readonly output: readonly { readonly plan: string; readonly body: Plan | null }[];
  };
  /** A plan sealed as the version after `base`, with what the server may know of it. Throws `plan_invalid`, `limit`. */
  planChange: {
    readonly input: {
      readonly device: DeviceId;
      readonly id: string;
      readonly base: number;
      readonly body: PlanInput;
    };
    readonly output: PlanChange;
  };
  /** For names of plans: the tokens by which the server knows them. */
  planTokens: { readonly input: { readonly names: readonly string[] }; readonly output: readonly string[] };
  /** Makes this browser a device of the vault first, if it is none. */
  addPasskey: { readonly input: PasskeyWish; readonly output: null };
  acceptHead: { readonly input: null; readonly output: null };
  checkLog: { readonly input: null; readonly output: readonly LogProblem[] };
  /** Rows first, then, as they are opened, what is in them. */
  snapshots: {
    readonly input: null;
    readonly output: readonly SnapshotView[];
    readonly event: readonly SnapshotView[];
  };
  tree: {
    readonly input: { readonly snapshot: SnapshotId; readonly path: RawPath; readonly order: SortOrder };
    readonly output: ListView;
    readonly event: ListView;
  };
  /** Opens or closes a folder of a tree. */
  toggle: {
    readonly input: { readonly list: number; readonly entry: number };
    readonly output: ListView;
    readonly event: ListView;
  };
  sort: { readonly input: { readonly list: number; readonly order: SortOrder }; readonly output: ListView };
  rows: {
    readonly input: { readonly list: number; readonly from: number; readonly to: number };
    readonly output: readonly RowView[];
  };
  forget: { readonly input: { readonly list: number }; readonly output: null };
  find: {
    readonly input: { readonly snapshot: SnapshotId; readonly path: RawPath; readonly text: string };
    readonly output: ListView;
    readonly event: ListView & { readonly seen: number };
  };
  compare: {
    readonly input: { readonly before: SnapshotId; readonly after: SnapshotId; readonly path: RawPath };
    readonly output: ListView & { readonly added: number; readonly removed: number; readonly changed: number };
    readonly event: ListView;
  };
  versions: {
    readonly input: { readonly path: RawPath };
    readonly output: readonly VersionView[];
    readonly event: { readonly done: number; readonly total: number };
  };
  preview: {
    readonly input: { readonly snapshot: SnapshotId; readonly path: RawPath };
    readonly output: PreviewView;
  };
  /** One file. In `storage` it gets a name of its own, which is answered. */
  save: {
    readonly input: { readonly snapshot: SnapshotId; readonly path: RawPath; readonly target: SaveTarget };
    readonly output: TransferResult & { readonly storageName?: string };
    readonly event: TransferProgress;
  };
  archive: {
    readonly input: {
      readonly snapshot: SnapshotId;
      readonly paths: readonly RawPath[];
      readonly format: "zip" | "tar";
      readonly target: SaveTarget;
    };
    readonly output: TransferResult & { readonly storageName?: string };
    readonly event: TransferProgress;
  };
  restore: {
    readonly input: {
      readonly snapshot: SnapshotId;
      readonly paths: readonly RawPath[];
      readonly directory: FileSystemDirectoryHandle;
      readonly existing: "keep" | "replace";
      /** Begun before and cut off. */
      readonly isAgain: boolean;
    };
    readonly output: TransferResult;
    readonly event: TransferProgress;
  };
};

/** What only a window can do. */
export type WindowApi = {
  wrapByPasskey: {
    readonly input: { readonly credential: string; readonly fileKey: Bytes };
    readonly output: readonly PlainStanza[];
  };
  unwrapByPasskey: {
    readonly input: { readonly credential: string; readonly stanzas: readonly PlainStanza[] };
    readonly output: Bytes | null;
  };
};
