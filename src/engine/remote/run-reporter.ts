// Tells a server how a run goes: at most once a second, and once when it ends (docs/protocol-v4.md, Runs). It never holds a run up and never
// makes one fail: what cannot be told is not told.

import { toHex } from "../../core/bytes.ts";
import type { Clock, RandomSource } from "../../core/clock.ts";
import { type AppError, isAppError } from "../../core/errors.ts";
import type { DeviceId, NameToken, SessionId, SnapshotId, VaultId } from "../../core/ids.ts";
import type { MacKey } from "../../crypto/primitives.ts";
import {
  type DeviceAbout,
  RUN_ROUTES,
  type RunKind,
  type RunPhase,
  type RunReport,
  type RunTrigger,
  type Wanted,
} from "../../wire/v4/api/run-routes.ts";
import type { VaultPort } from "../../wire/v4/vault-port.ts";
import type { BackupProgress } from "../backup/types.ts";
import { type RunWords, sealRunDetails } from "../run-details.ts";
import type { ApiClient } from "./api-client.ts";

export type RunReporterOptions = {
  readonly client: ApiClient;
  readonly vault: VaultId;
  readonly device: DeviceId;
  readonly metaKey: MacKey;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly kind: RunKind;
  readonly trigger: RunTrigger;
  /** Name token of the plan, where there is one. */
  readonly plan?: NameToken | undefined;
  /** Of a plan at the server. */
  readonly planId?: string | undefined;
  /** Id of the session to come, where it is known before it is opened: then a run can be told of before that (what runs before it, say). */
  readonly run?: SessionId | undefined;
  /** Program and system of this device, told with the first report. */
  readonly about?: DeviceAbout | undefined;
  /** Live figures of the run. */
  readonly progress: BackupProgress;
  /** Hears what people want of the run, once each time that it changes. */
  readonly onWanted?: ((wanted: Wanted) => void) | undefined;
};

export type RunEnd = {
  readonly state: "done" | "failed" | "cancelled" | "interrupted";
  readonly snapshot?: SnapshotId | undefined;
  /** What ended it. */
  readonly error?: unknown;
  readonly words?: RunWords | undefined;
};

const EVERY_MS = 1000;
/** The last report is given so long; a run that is over does not wait for a server that is gone. */
const FAREWELL_MS = 5000;

export class RunReporter {
  readonly #options: RunReporterOptions;
  readonly #startedAt: number;
  readonly #startedMs: number;
  #run: SessionId;
  /** False while the run has a name that its session may not get. */
  #isNamed: boolean;
  #hasToldAbout = false;
  #n = 0;
  #phase: RunPhase | undefined;
  #isPaused = false;
  #isOver = false;
  #wanted: Wanted = "run";
  #timer: ReturnType<typeof setInterval> | undefined;
  #sending: Promise<void> | undefined;
  readonly #stop = new AbortController();

  constructor(options: RunReporterOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#startedMs = options.clock.monotonic();
    this.#run = options.run ?? (toHex(options.random.bytes(16)) as SessionId);
    this.#isNamed = options.run !== undefined;
  }

  get run(): SessionId {
    return this.#run;
  }

  /** The vault as the run is to use it: so the reporter hears which session is the run's, and begins to report. */
  watch(vault: VaultPort): VaultPort {
    const onSession = (session: SessionId): void => this.#rename(session);
    return new Proxy(vault, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        if (name !== "openSession") return value.bind(target);
        return (request: Parameters<VaultPort["openSession"]>[0]) => {
          onSession(request.session);
          return target.openSession(request);
        };
      },
    });
  }

  /** Reports now, and from now on; before a session is opened only if its id was given. */
  start(): void {
    if (!this.#isNamed || this.#isOver) return;
    this.#timer ??= setInterval(() => this.#tick(), EVERY_MS);
    this.#tick();
  }

  /** In place of what the figures say, until it is taken back. */
  setPhase(phase: RunPhase | undefined): void {
    this.#phase = phase;
  }

  setPaused(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    this.#tick();
  }

  /**
   * The last report; resolves after a few seconds at most, whatever becomes of it, with the report if it could not be delivered. Nothing is
   * reported after it.
   */
  async end(end: RunEnd): Promise<RunReport | undefined> {
    if (this.#isOver) return undefined;
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#sending;
    const details = end.words === undefined ? null : await this.#sealed(end.words).catch(() => null);
    const { snapshot = null } = end;
    const report = { ...this.#report(end.state, "ended"), snapshot, error: codeOf(end.error), details };
    try {
      await this.#options.client.farewell(RUN_ROUTES.reportRun, this.#asked(report), AbortSignal.timeout(FAREWELL_MS));
      return undefined;
    } catch {
      // The server sees by itself how the session ended.
      return report;
    }
  }

  #tick(): void {
    if (this.#isOver || !this.#isNamed) return;
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Tries once: the next second brings a newer report anyway. */
  async #send(): Promise<void> {
    try {
      await this.#tellAbout();
      const report = this.#report(this.#isPaused ? "paused" : "running", this.#phaseNow());
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(10 * EVERY_MS)]);
      const { value } = await this.#options.client.once(RUN_ROUTES.reportRun, { ...this.#asked(report), signal });
      this.#hear(value.wanted);
    } catch {
      // Reports are no reason to trouble a run.
    }
  }

  async #tellAbout(): Promise<void> {
    const { client, vault, about } = this.#options;
    if (about === undefined || this.#hasToldAbout) return;
    this.#hasToldAbout = true;
    await client.once(RUN_ROUTES.reportAbout, { params: { vault }, body: about, signal: this.#stop.signal });
  }

  #hear(wanted: Wanted): void {
    if (this.#isOver || wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#options.onWanted?.(wanted);
  }

  #asked(report: RunReport) {
    return { params: { vault: this.#options.vault, run: this.#run }, body: report };
  }

  #report(state: RunReport["state"], phase: RunPhase): RunReport {
    const { kind, trigger, plan = null, planId = null, progress, clock } = this.#options;
    const { files, directories, others, newFiles, changedFiles, unchangedFiles, problems } = progress;
    const { changedWhileRead, bytes, readBytes, newBytes, addedBytes, expected } = progress;
    return {
      n: ++this.#n,
      kind,
      state,
      phase,
      plan,
      planId,
      trigger,
      startedAt: this.#startedAt,
      elapsedMs: Math.max(0, Math.round(clock.monotonic() - this.#startedMs)),
      counts: { files, directories, others, newFiles, changedFiles, unchangedFiles, problems, changedWhileRead },
      bytes: { done: bytes, read: readBytes, new: newBytes, added: addedBytes },
      expected: expected === undefined ? null : { files: expected.files, bytes: expected.bytes },
      snapshot: null,
      error: null,
      details: null,
    };
  }

  #phaseNow(): RunPhase {
    if (this.#phase !== undefined) return this.#phase;
    const { phase } = this.#options.progress;
    return phase === "done" ? "ended" : phase;
  }

  /** A run that begins again (its state file was damaged, say) goes on under another name. */
  #rename(session: SessionId): void {
    if (session !== this.#run && this.#isNamed) {
      const last = this.#asked(this.#report("cancelled", "ended"));
      this.#options.client.once(RUN_ROUTES.reportRun, last).catch(() => undefined);
    }
    this.#run = session;
    this.#isNamed = true;
    this.start();
  }

  #sealed(words: RunWords) {
    const { metaKey, vault, device, random } = this.#options;
    return sealRunDetails(metaKey, { vault, device, run: this.#run }, words, random);
  }
}

function codeOf(error: unknown): string | null {
  if (error === undefined) return null;
  return isAppError(error) ? (error as AppError).code : "internal";
}
