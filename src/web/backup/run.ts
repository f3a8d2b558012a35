// One backup from this browser, in a worker: the engine's own run between what was chosen and a server. What is stored is found again by
// asking, so a run that is cut off by a reload sends nothing twice; what did not change since the last run is not read.

import { toHex } from "../../core/bytes.ts";
import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { SessionId, VaultId } from "../../core/ids.ts";
import { type RawPath, rawFromText, rawToText } from "../../core/raw-path.ts";
import { signerOfKey } from "../../crypto/signature.ts";
import { planToken } from "../../crypto/tokens.ts";
import { LARGE_FILE_BYTES } from "../../engine/backup/content.ts";
import type { Gate } from "../../engine/backup/gate.ts";
import { backUp, newProgress } from "../../engine/backup/run.ts";
import type { RunTotals } from "../../engine/backup/types.ts";
import { checkHead, type HeadMemory, requireCommitted } from "../../engine/heads.ts";
import type { EnginePlatform } from "../../engine/platform.ts";
import { ApiClient } from "../../engine/remote/api-client.ts";
import { deviceCredentials } from "../../engine/remote/credentials.ts";
import { openRemoteVault } from "../../engine/remote/remote-vault.ts";
import { Retrier } from "../../engine/remote/retrier.ts";
import type { HttpTransport } from "../../engine/remote/transport.ts";
import { isStateDamage } from "../../wire/v4/state-reader.ts";
import { writerOfDevice } from "./browser-device.ts";
import { type Chosen, type ChosenHandle, isHandle } from "./chosen.ts";
import type { BackupJob, BrowserDevice, DeviceStore } from "./device-store.ts";
import type { Figures, LogLine, RunEnd, RunEvent, RunPhase } from "./figures.ts";
import { browserSource, type OpenableFile } from "./scan.ts";
import { createBrowserPool } from "./seal-pool.ts";
import { createState, openSavedState, removeState } from "./state-file.ts";
import { uploadTransport } from "./upload-transport.ts";
import { watchVault } from "./watched-vault.ts";

export type BackupWish = {
  readonly vault: VaultId;
  readonly plan: string;
  readonly chosen: readonly Chosen[];
  /** zstd level; 0 for none. */
  readonly level: number;
  /** Read every file, also those that look unchanged. */
  readonly force: boolean;
  /** What was counted beforehand. */
  readonly expected: RunTotals | undefined;
};

export type RunParts = {
  readonly store: DeviceStore;
  readonly heads: HeadMemory;
  readonly transport: HttpTransport;
  readonly platform: EnginePlatform;
  readonly startSealWorker: () => Worker;
  readonly sealWorkers: number;
  /** For the record: what browser this is. */
  readonly program: string;
  readonly gate: Gate;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
};

/** A lost connection costs at most one of these, and so much of each upload is held in memory. */
const PACK_BYTES = 16 * 2 ** 20;
const TELL_EVERY_MS = 200;

/** Throws `not_enrolled`, `source_missing`, and what the engine and the server throw. */
export async function runBackup(wish: BackupWish, parts: RunParts): Promise<RunEnd> {
  const { store, platform, signal, emit } = parts;
  const device = await store.device(wish.vault);
  if (!device) throw new AppError("not_enrolled");
  const watch = new RunWatch(parts, wish.expected);
  const ticker = setInterval(() => emit({ figures: watch.figures() }), TELL_EVERY_MS);
  const before = await openJob(store, wish, platform.clock);
  try {
    const end = await attempt(wish, parts, device, before, watch);
    await store.addRun({ ...pastOf(wish, watch), outcome: "done", snapshot: end.snapshot });
    return end;
  } catch (error) {
    const code = error instanceof AppError ? error.code : "internal";
    const isCancelled = signal.aborted;
    await store.addRun({ ...pastOf(wish, watch), outcome: isCancelled ? "cancelled" : "failed", errorCode: code });
    watch.say(isCancelled ? "info" : "error", isCancelled ? "cancelled" : "failed", { code });
    await store.changeJob(wish.vault, wish.plan, ({ open: _, ...job }) => job);
    throw error;
  } finally {
    clearInterval(ticker);
    emit({ figures: watch.figures() });
  }
}

async function attempt(
  wish: BackupWish,
  parts: RunParts,
  device: BrowserDevice,
  before: BackupJob | undefined,
  watch: RunWatch,
): Promise<RunEnd> {
  const { store, heads, platform, gate, signal } = parts;
  const signer = await signerOfKey(device.signingKey);
  const writer = writerOfDevice(device);
  const transport = uploadTransport(watch.transport(parts.transport), (bytes) => watch.sent(bytes));
  const { clock, random } = platform;
  const credentials = deviceCredentials({ transport, vault: wish.vault, signer, clock });
  const retrier = new Retrier({ clock, random, onWait: (error, waitMs) => watch.waits(error.code, waitMs) });
  const client = new ApiClient({ transport, credentials, retrier, signal });
  const remote = await openRemoteVault({ client, name: wish.vault, vaultId: wish.vault, signal });
  await checkHead({ vault: remote, home: heads });
  const left = before?.open?.session;
  if (left !== undefined) {
    watch.say("info", "again", {});
    await remote.closeSession(left).catch(() => undefined);
  }
  const large = new Map<RawPath, OpenableFile>();
  const vault = watchVault(remote, {
    ...{ gate, signal, clock },
    events: {
      onSession: (session) => keepSession(store, wish, session),
      onAnswer: (tookMs) => watch.answered(tookMs),
      onPack: (bytes, tookMs) => watch.say("info", "pack", { bytes, tookMs: Math.round(tookMs) }),
      onCommit: () => watch.enter("committing"),
    },
  });
  const plan = await planToken(writer.metaKey, wish.plan);
  const saved =
    before?.stateFile === undefined || wish.force
      ? undefined
      : await openSavedState(before.stateFile, wish.vault, plan);
  const state = await createState(wish.vault, plan, `${toHex(random.bytes(16))}.state`);
  watch.enter("scanning");
  try {
    const { snapshot, problems } = await backUp({
      ...{ vault, platform, writer, signer, signal },
      source: browserSource(wish.chosen, {
        waits: () => gate.pass(signal),
        onFile: (path, source) => void (source.file.size > LARGE_FILE_BYTES && large.set(path, source)),
      }),
      createPool: (keys) =>
        createBrowserPool({
          keys,
          size: parts.sealWorkers,
          start: parts.startSealWorker,
          findFile: (path) => large.get(path),
          onPath: (_, path) => watch.reads(path),
        }),
      plan: wish.plan,
      tags: [],
      about: {
        paths: wish.chosen.map(({ name }) => rawFromText(`/${name}`)),
        ...{ host: device.name, user: "", program: parts.program },
      },
      previous: saved,
      writeState: (bytes) => state.write(bytes),
      force: wish.force,
      dryRun: false,
      level: wish.level,
      packBytes: PACK_BYTES,
      progress: watch.progress,
    });
    await requireCommitted({ vault: remote, home: heads, snapshot: snapshot! });
    state.commit();
    await closeJob(store, wish, state.name, watch);
    watch.end(problems.map(({ path, code }) => ({ path: rawToText(path), code })));
    return { snapshot: snapshot!, figures: watch.figures(), problems: watch.problems };
  } catch (error) {
    // The next run reads everything.
    if (isStateDamage(error)) await store.changeJob(wish.vault, wish.plan, ({ stateFile: _, ...job }) => job);
    throw error;
  } finally {
    saved?.close();
    await state.end();
  }
}

/** Remembers that a run has begun; gives what was known of the job before. */
async function openJob(store: DeviceStore, wish: BackupWish, clock: Clock): Promise<BackupJob | undefined> {
  const before = await store.job(wish.vault, wish.plan);
  const names = wish.chosen.map(({ name }) => name).sort();
  await store.saveJob({
    ...before,
    ...{ vault: wish.vault, plan: wish.plan, level: wish.level, names },
    kept: wish.chosen.filter((one): one is ChosenHandle => isHandle(one)),
    open: { session: before?.open?.session, startedAt: clock.now() },
  });
  return before;
}

/** Before the server hears of it: a session that is left open can then be closed by whoever comes next. */
function keepSession(store: DeviceStore, { vault, plan }: BackupWish, session: SessionId): Promise<void> {
  return store.changeJob(vault, plan, (job) => ({ ...job, open: { startedAt: job.open?.startedAt ?? 0, session } }));
}

async function closeJob(store: DeviceStore, wish: BackupWish, stateFile: string, watch: RunWatch): Promise<void> {
  let old: string | undefined;
  const { files, bytes } = watch.progress;
  await store.changeJob(wish.vault, wish.plan, ({ open: _, ...job }) => {
    old = job.stateFile;
    return { ...job, stateFile, totals: { files, bytes } };
  });
  if (old !== undefined) await removeState(old);
}

function pastOf(wish: BackupWish, watch: RunWatch) {
  const { elapsedMs, files, bytes, newBytes, addedBytes, problems } = watch.figures();
  const { vault, plan } = wish;
  return {
    vault,
    plan,
    startedAt: watch.startedAt,
    durationMs: Math.round(elapsedMs),
    files,
    bytes,
    newBytes,
    addedBytes,
    problems,
  };
}

/** Gathers what the page is told. */
class RunWatch {
  readonly progress = newProgress();
  readonly startedAt: number;
  problems: RunEnd["problems"] = [];
  readonly #parts: RunParts;
  readonly #expected: RunTotals | undefined;
  readonly #since: number;
  #phase: RunPhase = "connecting";
  #sent = 0;
  #waits = 0;
  #latencyMs: number | undefined;
  #current = "";

  constructor(parts: RunParts, expected: RunTotals | undefined) {
    this.#parts = parts;
    this.#expected = expected;
    this.startedAt = parts.platform.clock.now();
    this.#since = parts.platform.clock.monotonic();
  }

  figures(): Figures {
    const { progress } = this;
    const { files, bytes, newFiles, changedFiles, unchangedFiles, newBytes, addedBytes, problems } = progress;
    return {
      phase: this.#currentPhase(),
      isPaused: !this.#parts.gate.isOpen,
      elapsedMs: this.#parts.platform.clock.monotonic() - this.#since,
      ...{ files, bytes, newFiles, changedFiles, unchangedFiles, newBytes, addedBytes, problems },
      folders: progress.directories,
      sentBytes: this.#sent,
      expected: this.#expected,
      current: rawToText((this.#current || progress.currentPath) as RawPath),
      latencyMs: this.#latencyMs,
      waits: this.#waits,
    };
  }

  enter(phase: RunPhase): void {
    if (this.#phase === phase) return;
    this.#phase = phase;
    this.say("info", "phase", { phase });
  }

  say(level: LogLine["level"], what: LogLine["what"], values: LogLine["values"]): void {
    this.#parts.emit({ line: { at: this.#parts.platform.clock.now(), level, what, values } });
  }

  /** The same transport; the first login is a phase of its own. */
  transport(base: HttpTransport): HttpTransport {
    const watched: HttpTransport = {
      ...base,
      send: (request) => {
        if (this.#phase === "connecting" && request.path.startsWith("/api/v4/login")) this.enter("signing-in");
        return base.send(request);
      },
    };
    return { ...watched, bind: async (signal) => ({ ...(await base.bind(signal)), send: watched.send }) };
  }

  sent(bytes: number): void {
    this.#sent += bytes;
  }

  waits(code: string, waitMs: number): void {
    this.#waits++;
    this.say("warning", "wait", { code, seconds: Math.ceil(waitMs / 1000) });
  }

  /** Smoothed, so that one slow answer is no alarm. */
  answered(tookMs: number): void {
    this.#latencyMs = this.#latencyMs === undefined ? tookMs : this.#latencyMs * 0.8 + tookMs * 0.2;
  }

  reads(path: RawPath): void {
    this.#current = path;
  }

  end(problems: RunEnd["problems"]): void {
    this.problems = problems;
    for (const { path, code } of problems) this.say("warning", "problem", { path, code });
    this.#phase = "done";
    const { files, addedBytes } = this.progress;
    this.say("info", "done", { files, addedBytes });
  }

  /** The engine's phases are told apart by what has been read. */
  #currentPhase(): RunPhase {
    if (this.#phase !== "scanning" && this.#phase !== "encrypting") return this.#phase;
    if (this.progress.phase === "finishing") this.enter("sending");
    else if (this.progress.bytes > 0) this.enter("encrypting");
    return this.#phase;
  }
}
