// One backup from this browser, in a worker: the engine's own run between what was chosen and a server. What is stored is found again by
// asking, so a run that is cut off by a reload sends nothing twice; what did not change since the last run is not read.

import { toHex } from "../../core/bytes.ts";
import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { SessionId, VaultId } from "../../core/ids.ts";
import { rawFromText, rawToText } from "../../core/raw-path.ts";
import { signerOfKey } from "../../crypto/signature.ts";
import { planToken } from "../../crypto/tokens.ts";
import type { Gate } from "../../engine/backup/gate.ts";
import { type BackupResult, backUp } from "../../engine/backup/run.ts";
import type { RunTotals } from "../../engine/backup/types.ts";
import { checkHead, type HeadMemory, requireCommitted } from "../../engine/heads.ts";
import type { EnginePlatform } from "../../engine/platform.ts";
import { ApiClient } from "../../engine/remote/api-client.ts";
import { deviceCredentials } from "../../engine/remote/credentials.ts";
import { openRemoteVault } from "../../engine/remote/remote-vault.ts";
import { Retrier } from "../../engine/remote/retrier.ts";
import { RunReporter } from "../../engine/remote/run-reporter.ts";
import type { HttpTransport } from "../../engine/remote/transport.ts";
import type { DeviceAbout } from "../../wire/v4/api/run-routes.ts";
import { isStateDamage } from "../../wire/v4/state-reader.ts";
import { isServerAway } from "../api/server-away.ts";
import { writerOfDevice } from "./browser-device.ts";
import { type Chosen, type ChosenHandle, isHandle } from "./chosen.ts";
import type { BackupJob, BrowserDevice, DeviceStore } from "./device-store.ts";
import type { RunEnd, RunEvent } from "./figures.ts";
import { FileFeed } from "./file-feed.ts";
import { RunWatch } from "./run-watch.ts";
import { browserSource } from "./scan.ts";
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
  readonly about: DeviceAbout;
  readonly gate: Gate;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
};

/** A lost connection costs at most one of these, and so much of each upload is held in memory. */
const PACK_BYTES = 16 * 2 ** 20;
/** Each time the page is drawn anew. */
const TELL_EVERY_MS = 500;
const PAUSE_TOLD_MS = 500;

/** Throws `not_enrolled`, `source_missing`, and what the engine and the server throw. */
export async function runBackup(wish: BackupWish, parts: RunParts): Promise<RunEnd> {
  const { store, platform, emit } = parts;
  const device = await store.device(wish.vault);
  if (!device) throw new AppError("not_enrolled");
  // People may cancel it at the server as well.
  const cancel = new AbortController();
  const signal = AbortSignal.any([parts.signal, cancel.signal]);
  const watch = new RunWatch(parts, wish.expected);
  const ticker = setInterval(() => emit({ figures: watch.figures() }), TELL_EVERY_MS);
  const before = await openJob(store, wish, platform.clock);
  try {
    const end = await attempt(wish, { ...parts, signal }, device, { before, watch, cancel: () => cancel.abort() });
    await store.addRun({ ...pastOf(wish, watch), outcome: "done", snapshot: end.snapshot });
    return end;
  } catch (error) {
    const code = error instanceof AppError ? error.code : "internal";
    const isCancelled = signal.aborted;
    await store.addRun({ ...pastOf(wish, watch), outcome: isCancelled ? "cancelled" : "failed", errorCode: code });
    watch.say(isCancelled ? "info" : "error", isCancelled ? "cancelled" : "failed", { code });
    // What only a lost server has cut off goes on where it was, as after a reload.
    if (isCancelled || !isServerAway(error)) {
      await store.changeJob(wish.vault, wish.plan, ({ open: _, ...job }) => job);
    }
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
  { before, watch, cancel }: { before: BackupJob | undefined; watch: RunWatch; cancel: () => void },
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
  const feed = new FileFeed();
  const plan = await planToken(writer.metaKey, wish.plan);
  const reporter = new RunReporter({
    ...{ client, vault: wish.vault, device: signer.device, metaKey: writer.metaKey, clock, random, plan },
    ...{ kind: "backup", trigger: "browser", progress: watch.progress, about: parts.about },
    onWanted: (wanted) => {
      if (wanted === "cancel") cancel();
      else if (wanted === "pause") gate.close();
      else gate.open();
      if (wanted !== "cancel") watch.say("info", wanted === "pause" ? "paused" : "resumed", {});
    },
  });
  const pauses = setInterval(() => reporter.setPaused(!gate.isOpen), PAUSE_TOLD_MS);
  const vault = watchVault(reporter.watch(remote), {
    ...{ gate, signal, clock },
    events: {
      onSession: (session) => keepSession(store, wish, session),
      onAnswer: (tookMs) => watch.answered(tookMs),
      onPack: (bytes, tookMs) => watch.stored(bytes, tookMs),
      onCommit: () => watch.enter("committing"),
    },
  });
  const saved =
    before?.stateFile === undefined || wish.force
      ? undefined
      : await openSavedState(before.stateFile, wish.vault, plan);
  const state = await createState(wish.vault, plan, `${toHex(random.bytes(16))}.state`);
  watch.enter("scanning");
  const words = (result: Partial<BackupResult>, message: string) => ({
    plan: wish.plan,
    host: device.name,
    paths: wish.chosen.map(({ name }) => rawFromText(`/${name}`)),
    message,
    problems: result.problems ?? [],
    problemCount: watch.progress.problems,
  });
  try {
    const result = await backUp({
      ...{ vault, platform, writer, signer, signal },
      source: browserSource(wish.chosen, {
        waits: () => gate.pass(signal),
        onFile: (path, source) => feed.found(path, source),
      }),
      createPool: (keys) =>
        createBrowserPool({
          keys,
          size: parts.sealWorkers,
          start: parts.startSealWorker,
          feed,
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
    const { snapshot, problems } = result;
    await requireCommitted({ vault: remote, home: heads, snapshot: snapshot! });
    state.commit();
    await closeJob(store, wish, state.name, watch);
    await reporter.end({ state: "done", snapshot, words: words(result, "") });
    watch.end(problems.map(({ path, code }) => ({ path: rawToText(path), code })));
    return { snapshot: snapshot!, figures: watch.figures(), problems: watch.problems };
  } catch (error) {
    // The next run reads everything.
    const ended = signal.aborted ? "cancelled" : "failed";
    await reporter.end({ state: ended, error, words: words({}, error instanceof Error ? error.message : "") });
    if (isStateDamage(error)) await store.changeJob(wish.vault, wish.plan, ({ stateFile: _, ...job }) => job);
    throw error;
  } finally {
    clearInterval(pauses);
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
