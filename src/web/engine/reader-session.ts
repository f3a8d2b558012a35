// One vault that this tab looks into: opened with the sign-in of the page, unlocked by whatever a person has, checked against what this
// browser remembers. Lives in the worker; locking ends the worker, and the keys with it.

import { systemClock, systemRandom } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { DeviceId, SessionId, SnapshotId } from "../../core/ids.ts";
import { type PasskeyPrompt, passkeyIdentity } from "../../crypto/passkey.ts";
import type { ReaderSecrets } from "../../crypto/secrets.ts";
import { signerOfKey } from "../../crypto/signature.ts";
import { planToken } from "../../crypto/tokens.ts";
import { type Invitation, invite } from "../../engine/enrol/invite.ts";
import { generateRecoveryKey, makeKeyslot } from "../../engine/enrol/new-vault.ts";
import { statementMessage } from "../../engine/enrol/statements.ts";
import { acceptHead, checkHead, checkRecordHead } from "../../engine/heads.ts";
import { openPlan, planChange } from "../../engine/plan-seal.ts";
import { checkLog } from "../../engine/reader/check-log.ts";
import type { VaultReader } from "../../engine/reader/reader.ts";
import {
  type DeviceKeys,
  deviceKeys,
  type ListedSnapshot,
  type OpenedSnapshot,
  snapshotRows,
  tryOpenSnapshot,
} from "../../engine/reader/snapshots.ts";
import { ApiClient } from "../../engine/remote/api-client.ts";
import { nobody } from "../../engine/remote/credentials.ts";
import { openRemoteVault, type RemoteVault } from "../../engine/remote/remote-vault.ts";
import { Retrier } from "../../engine/remote/retrier.ts";
import { Slots } from "../../engine/remote/slots.ts";
import { openRunDetails } from "../../engine/run-details.ts";
import { unlock } from "../../engine/unlock.ts";
import { PLAN_ROUTES, type PlanChange, type StoredPlan } from "../../wire/v4/api/plan-routes.ts";
import { RUN_ROUTES } from "../../wire/v4/api/run-routes.ts";
import { VAULT_ROUTES } from "../../wire/v4/api/vault-routes.ts";
import { type Plan, readPlan } from "../../wire/v4/plan-body.ts";
import type { RunDetails } from "../../wire/v4/run-details.ts";
import type { SnapshotRow } from "../../wire/v4/vault-port.ts";
import { enrolUnlocked } from "../backup/browser-device.ts";
import { openDeviceStore } from "../backup/device-store.ts";
import { fetchTransport } from "./fetch-transport.ts";
import { browserHeads } from "./head-memory.ts";
import { PooledReader } from "./opener-pool.ts";
import { browserPlatform } from "./platform.ts";
import type { LogProblem, ReaderApi, Unlocking, UnlockStep } from "./reader-api.ts";

/** Opened blocks that are kept: tree blocks, above all. */
const CACHE_BYTES = 48 * 2 ** 20;
/** Records are small; what takes time is the way to the server and back. */
const RECORDS_AT_ONCE = 6;

/** Chromium makes a pipe of half a megabyte for each answer. */
const CALL_BYTES = 8 * 2 ** 20;

export class ReaderSession {
  readonly vault: RemoteVault;
  #reader: VaultReader | undefined;
  #devices: DeviceKeys = new Map();
  readonly #opened = new Map<SnapshotId, Promise<ListedSnapshot>>();
  readonly #slots = new Slots(RECORDS_AT_ONCE);

  private constructor(vault: RemoteVault) {
    this.vault = vault;
  }

  /** As the person who is signed in. */
  static async open(name: string, onWait: (waitMs: number) => void): Promise<ReaderSession> {
    const { clock, random } = await browserPlatform();
    const transport = fetchTransport({ origin: self.location.origin, credentials: "same-origin" });
    const retrier = new Retrier({ clock, random, onWait: (_, waitMs) => onWait(waitMs) });
    const client = new ApiClient({ transport, credentials: nobody, retrier });
    return new ReaderSession(await openRemoteVault({ client, name, vaultId: undefined, callBytes: CALL_BYTES }));
  }

  /** Throws `passphrase_wrong`, `passkey_refused`, `rollback`, and what `unlock` of the engine throws. */
  async unlock(how: Unlocking, prompt: PasskeyPrompt, onStep: (step: UnlockStep) => void): Promise<void> {
    onStep("checking");
    await checkHead({ vault: this.vault, home: browserHeads });
    onStep("opening");
    const secrets = await this.#secrets(how, prompt);
    const platform = await browserPlatform();
    this.#reader = new PooledReader({ vault: this.vault, secrets, platform, cacheBytes: CACHE_BYTES });
  }

  get reader(): VaultReader {
    if (this.#reader) return this.#reader;
    throw new AppError("passphrase_missing");
  }

  /** As the person who is signed in. */
  invite(wish: ReaderApi["invite"]["input"]): Promise<Invitation> {
    const { client: api, vaultId: vault } = this.vault;
    return invite({ api, vault, writer: this.reader.secrets.writer, random: systemRandom, ...wish });
  }

  /** Throws `not_found`, `record_corrupt`. */
  async runDetails({ run, device }: { run: SessionId; device: DeviceId }): Promise<RunDetails> {
    const vault = this.vault.vaultId;
    const sealed = await this.vault.client.call(RUN_ROUTES.runDetails, { params: { vault, run } });
    return openRunDetails(this.#metaKey, { vault, device, run }, sealed);
  }

  /** null for one that cannot be opened: made by a newer program, say. */
  async planBodies(device: DeviceId): Promise<{ plan: string; body: Plan | null }[]> {
    const vault = this.vault.vaultId;
    const { plans } = await this.vault.client.call(PLAN_ROUTES.devicePlans, { params: { vault, device } });
    const open = async ({ plan, version, sealed }: StoredPlan): Promise<Plan | null> => {
      try {
        return await openPlan(this.#metaKey, { vault, device, id: plan, version }, sealed);
      } catch {
        return null;
      }
    };
    const there = plans.filter(({ deleted }) => !deleted);
    return Promise.all(there.map(async (stored) => ({ plan: stored.plan, body: await open(stored) })));
  }

  planChange({ device, id, base, body }: ReaderApi["planChange"]["input"]): Promise<PlanChange> {
    return planChange(this.#metaKey, { vault: this.vault.vaultId, device, id, base }, readPlan(body), systemRandom);
  }

  planTokens(names: readonly string[]): Promise<string[]> {
    return Promise.all(names.map((name) => planToken(this.#metaKey, name)));
  }

  get #metaKey() {
    return this.reader.secrets.writer.metaKey;
  }

  /** As the person who is signed in. */
  async enrol(vaultName: string, name: string): Promise<void> {
    const { vault } = this;
    const { writer } = this.reader.secrets;
    const params = { vault: vault.vaultId };
    const store = await openDeviceStore();
    try {
      await enrolUnlocked({
        ...{ store, vault: vault.vaultId, vaultName, writer, name, now: systemClock.now() },
        append: (statement) =>
          vault.client.call(VAULT_ROUTES.statement, {
            params,
            body: { statement: statementMessage(statement), keyslotFile: null },
          }),
      });
    } finally {
      store.close();
    }
  }

  /** As the person who is signed in, signed by the device that this browser is. Throws `not_enrolled`. */
  async addKeyslot(wish: ReaderApi["addKeyslot"]["input"]): Promise<ReaderApi["addKeyslot"]["output"]> {
    const { vault } = this;
    const { secrets } = this.reader;
    const store = await openDeviceStore();
    try {
      const device = await store.device(vault.vaultId);
      if (!device) throw new AppError("not_enrolled");
      const signer = await signerOfKey(device.signingKey);
      const fresh = wish.kind === "recovery" ? await generateRecoveryKey(systemRandom) : undefined;
      const lock = wish.kind === "passphrase" ? { passphrase: wish.passphrase } : { recipient: fresh!.recipient };
      const made = await makeKeyslot({
        ...{ secrets, vaultId: vault.vaultId, signer, lock, kind: wish.kind, label: wish.label },
        scrypt: undefined,
      });
      await vault.client.call(VAULT_ROUTES.statement, {
        params: { vault: vault.vaultId },
        body: { statement: statementMessage(made.statement), keyslotFile: made.file },
      });
      return fresh === undefined ? {} : { identity: fresh.identity };
    } finally {
      store.close();
    }
  }

  /** After a person has decided that the older state is right. */
  async acceptHead(): Promise<void> {
    await acceptHead({ vault: this.vault, home: browserHeads });
  }

  /** Newest first, not those in the trash. */
  async rows(): Promise<SnapshotRow[]> {
    this.#devices = await deviceKeys(this.reader);
    return (await snapshotRows(this.reader)).filter(({ state }) => state === "live").reverse();
  }

  deviceName(row: SnapshotRow): string | undefined {
    return this.#devices.get(row.device)?.name;
  }

  /** Its record, verified and opened; one that does not hold comes with its error. */
  open(row: SnapshotRow): Promise<ListedSnapshot> {
    const known = this.#opened.get(row.id);
    if (known) return known;
    const opening = this.#slots.run(() => tryOpenSnapshot(this.reader, row, this.#devices));
    this.#opened.set(row.id, opening);
    opening.catch(() => this.#opened.delete(row.id));
    return opening;
  }

  /** Throws `not_found`, and why its record does not hold. */
  async snapshot(id: SnapshotId): Promise<OpenedSnapshot> {
    const known = await this.#opened.get(id);
    const opened = known ?? (await this.#openById(id));
    if (opened.error) throw opened.error;
    return opened;
  }

  /** The log against its signatures and lists, and against the heads that the devices' records name. */
  async checkLog(): Promise<LogProblem[]> {
    const problems = (await checkLog(this.vault)).map(({ object, detail }) => ({ object, detail }));
    const listed = await Promise.all((await this.rows()).map((row) => this.open(row)));
    await checkRecordHead({ vault: this.vault, records: listed.flatMap(({ record }) => (record ? [record] : [])) });
    return problems;
  }

  async #secrets(how: Unlocking, prompt: PasskeyPrompt): Promise<ReaderSecrets> {
    const { vault } = this;
    switch (how.by) {
      case "passphrase":
        return unlock({ vault, passphrase: how.passphrase });
      case "recovery":
        return unlock({ vault, identity: how.text });
      case "passkey":
        return unlock({ vault, passkey: { identity: passkeyIdentity(prompt), slot: how.slot } });
    }
  }

  async #openById(id: SnapshotId): Promise<ListedSnapshot> {
    const row = (await this.rows()).find((candidate) => candidate.id === id);
    if (!row) throw new AppError("not_found", { context: { what: `Snapshot ${id.slice(0, 12)}` } });
    return this.open(row);
  }
}
