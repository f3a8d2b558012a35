// What the page "Back up from this browser" looks at and acts on. It belongs to the tab, not to the page: somebody may look elsewhere
// while a backup runs. The worker does the work.

import { AppError, isAppError } from "../../core/errors.ts";
import type { VaultId } from "../../core/ids.ts";
import type { RunTotals } from "../../engine/backup/types.ts";
import { throughOutages } from "../api/server-away.ts";
import { untilServerIsBack } from "../api/server-back.ts";
import type { BackupApi, ChosenId } from "./backup-api.ts";
import { addChosen, type Chosen, type ChosenHandle, isHandle } from "./chosen.ts";
import { type BackupJob, type DeviceStore, openDeviceStore } from "./device-store.ts";
import type { Figures, LogLine, RunEnd } from "./figures.ts";
import type { Measured } from "./scan.ts";
import { addSample, type Sample } from "./speed.ts";
import { backupWorker } from "./worker.ts";

export type Item = {
  readonly id: ChosenId;
  readonly name: string;
  readonly kind: "folder" | "file";
  /** Can be asked for again after a reload. */
  readonly canKeep: boolean;
  readonly measured: Measured;
  readonly state: "counting" | "ready" | "failed";
};

export type RunView = {
  readonly vault: VaultId;
  readonly plan: string;
  readonly figures: Figures;
  readonly samples: readonly Sample[];
  readonly state: "running" | "done" | "failed" | "cancelled";
  readonly end?: RunEnd | undefined;
  readonly error?: AppError | undefined;
  /** What it was begun with. */
  readonly wish: StartWish;
};

export type View = {
  readonly items: readonly Item[];
  readonly run: RunView | undefined;
  readonly log: readonly LogLine[];
};

export type StartWish = {
  readonly vault: VaultId;
  readonly plan: string;
  readonly level: number;
  readonly force: boolean;
};

const LOG_LINES = 2000;
const TELL_AFTER_MS = 200;
/** Files that are handed to the worker at a time: more at once would hold the page up. */
const SLICE_FILES = 300;
const NOTHING: Figures = {
  ...{
    phase: "connecting",
    isPaused: false,
    elapsedMs: 0,
    files: 0,
    folders: 0,
    bytes: 0,
    newFiles: 0,
    changedFiles: 0,
  },
  ...{ unchangedFiles: 0, newBytes: 0, addedBytes: 0, sentBytes: 0, problems: 0, expected: undefined, current: "" },
  ...{ latencyMs: undefined, waits: 0, isWaiting: false },
} as const;

class Controller {
  #view: View = { items: [], run: undefined, log: [] };
  readonly #listeners = new Set<() => void>();
  #chosen: { readonly id: ChosenId; readonly chosen: Chosen; readonly counting: AbortController }[] = [];
  #nextId = 1;
  #cancel: AbortController | undefined;
  readonly #resumed = new Set<string>();
  #store: Promise<DeviceStore> | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly view = (): View => this.#view;

  store(): Promise<DeviceStore> {
    this.#store ??= openDeviceStore();
    return this.#store;
  }

  get isRunning(): boolean {
    return this.#view.run?.state === "running";
  }

  /** What was chosen joins what is there; the same again replaces it. */
  async add(added: readonly Chosen[]): Promise<void> {
    const all = await addChosen(
      this.#chosen.map(({ chosen }) => chosen),
      added,
    );
    for (const [i, chosen] of all.entries()) {
      const known = this.#chosen[i];
      if (known?.chosen === chosen) continue;
      if (known) this.#let(known.id);
      const id = this.#nextId++;
      this.#chosen[i] = { id, chosen, counting: new AbortController() };
      const item: Item = {
        ...{ id, name: chosen.name, kind: kindOf(chosen), canKeep: isHandle(chosen), state: "counting" },
        measured: { files: 0, folders: 0, bytes: 0 },
      };
      this.#set({ items: [...this.#view.items.filter((one) => one.id !== known?.id), item] });
      void this.#count(id, chosen);
    }
  }

  remove(id: ChosenId): void {
    this.#let(id);
    this.#chosen = this.#chosen.filter((one) => one.id !== id);
    this.#set({ items: this.#view.items.filter((item) => item.id !== id) });
  }

  clear(): void {
    for (const { id } of [...this.#chosen]) this.remove(id);
  }

  /** Never throws: how it went is in the view. A server that goes away is waited for as long as the tab is open. */
  async start(wish: StartWish): Promise<void> {
    if (this.isRunning) return;
    const cancel = new AbortController();
    this.#cancel = cancel;
    const items = this.#view.items;
    const expected = items.every(({ state }) => state === "ready") ? totalsOf(items) : undefined;
    const { vault, plan } = wish;
    const run: RunView = { vault, plan, wish, figures: { ...NOTHING, expected }, samples: [], state: "running" };
    // One that fails is begun again here, by whoever looks at it.
    this.#resumed.add(`${vault} ${plan}`);
    this.#set({ run, log: [] });
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", warn);
    try {
      const end = await this.#attempts({ ...wish, expected, chosen: this.#chosen.map(({ id }) => id) }, cancel.signal);
      this.#change({ state: "done", end, figures: end.figures });
    } catch (error) {
      // By somebody here, or by somebody at the server.
      const state = cancel.signal.aborted || isAppError(error, "interrupted") ? "cancelled" : "failed";
      this.#change({ state, error: isAppError(error) ? error : new AppError("internal", { cause: error }) });
    } finally {
      removeEventListener("beforeunload", warn);
      this.#cancel = undefined;
    }
  }

  #attempts(wish: BackupApi["run"]["input"], signal: AbortSignal): Promise<RunEnd> {
    const attempt = (): Promise<RunEnd> =>
      backupWorker().call("run", wish, { signal, onEvent: (event) => this.#hear(event) });
    const onWaiting = (isWaiting: boolean): void => {
      const { run } = this.#view;
      if (run) this.#change({ figures: { ...run.figures, isWaiting } });
    };
    return throughOutages(attempt, { signal, untilBack: untilServerIsBack, onWaiting });
  }

  async pause(isPaused: boolean): Promise<void> {
    const at = Date.now();
    await backupWorker().call(isPaused ? "pause" : "resume", null);
    this.#log({ at, level: "info", what: isPaused ? "paused" : "resumed", values: {} });
  }

  cancel(): void {
    this.#cancel?.abort();
  }

  /** Takes the result away; what was chosen stays. */
  dismiss(): void {
    if (!this.isRunning) this.#set({ run: undefined });
  }

  /** True once for each: what is cut off again and again is not begun again without end. */
  mayResume(job: string): boolean {
    const isFirst = !this.#resumed.has(job);
    this.#resumed.add(job);
    return isFirst;
  }

  /** Puts what a job kept in place of what is chosen. False when the browser wants to be asked, and was not by a click. */
  async choose(job: BackupJob, isByClick: boolean): Promise<boolean> {
    for (const { handle } of job.kept) if (!(await mayRead(handle, isByClick))) return false;
    this.clear();
    await this.add(job.kept);
    return true;
  }

  /** A fast run tells something many times a second; the page is told a few times. */
  #hear(event: { readonly figures: Figures } | { readonly line: LogLine }): void {
    const { run } = this.#view;
    if ("line" in event) this.#view = { ...this.#view, log: withLine(this.#view.log, event.line) };
    else if (run) {
      const { figures } = event;
      this.#view = { ...this.#view, run: { ...run, figures, samples: addSample(run.samples, figures) } };
    }
    this.#telling ??= setTimeout(() => this.#tell(), TELL_AFTER_MS);
  }

  #log(line: LogLine): void {
    this.#set({ log: withLine(this.#view.log, line) });
  }

  #let(id: ChosenId): void {
    this.#chosen.find((one) => one.id === id)?.counting.abort();
    void backupWorker().call("drop", id);
  }

  async #count(id: ChosenId, chosen: Chosen): Promise<void> {
    try {
      await handOver(id, chosen);
      const one = this.#chosen.find((known) => known.id === id);
      if (!one) return;
      const signal = one.counting.signal;
      const onEvent = (measured: Measured): void => this.#changeItem(id, { measured });
      const measured = await backupWorker().call("measure", id, { signal, onEvent });
      this.#changeItem(id, { measured, state: "ready" });
    } catch {
      this.#changeItem(id, { state: "failed" });
    }
  }

  #changeItem(id: ChosenId, change: Partial<Item>): void {
    this.#set({ items: this.#view.items.map((item) => (item.id === id ? { ...item, ...change } : item)) });
  }

  #change(change: Partial<RunView>): void {
    const { run } = this.#view;
    if (run) this.#set({ run: { ...run, ...change } });
  }

  #set(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
    this.#tell();
  }

  #tell(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    for (const listener of this.#listeners) listener();
  }
}

export const backups = new Controller();

function withLine(log: readonly LogLine[], line: LogLine): readonly LogLine[] {
  return [...log.slice(-LOG_LINES + 1), line];
}

export function totalsOf(items: readonly Item[]): RunTotals {
  return items.reduce(
    ({ files, bytes }, { measured }) => ({ files: files + measured.files, bytes: bytes + measured.bytes }),
    { files: 0, bytes: 0 },
  );
}

async function handOver(id: ChosenId, chosen: Chosen): Promise<void> {
  const worker = backupWorker();
  if (isHandle(chosen)) {
    await worker.call("hold", { id, chosen });
    return;
  }
  await worker.call("hold", { id, chosen: { name: chosen.name, files: [] } });
  for (let at = 0; at < chosen.files.length; at += SLICE_FILES) {
    await worker.call("holdMore", { id, files: chosen.files.slice(at, at + SLICE_FILES) });
  }
}

function kindOf(chosen: Chosen): Item["kind"] {
  if (isHandle(chosen)) return chosen.handle.kind === "directory" ? "folder" : "file";
  return chosen.files.length === 1 && chosen.files[0]!.path === "" ? "file" : "folder";
}

/** File System Access, not in TypeScript's library. A browser without it lets whatever handle it gave be read. */
type Asked = ChosenHandle["handle"] & {
  queryPermission?(wish: { mode: "read" }): Promise<PermissionState>;
  requestPermission?(wish: { mode: "read" }): Promise<PermissionState>;
};

async function mayRead(handle: Asked, isByClick: boolean): Promise<boolean> {
  if (!handle.queryPermission || (await handle.queryPermission({ mode: "read" })) === "granted") return true;
  return isByClick && (await handle.requestPermission?.({ mode: "read" })) === "granted";
}
