// A backup of this machine's files: scanner, worker threads and state file put to the engine.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, hostname, userInfo } from "node:os";
import { resolve } from "node:path";
import { toHex } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { requireSafeRelativePath } from "../core/filename.ts";
import type { NameToken, SessionId, SnapshotId } from "../core/ids.ts";
import type { Logger } from "../core/log.ts";
import { type RawPath, rawFromText, rawToBytes } from "../core/raw-path.ts";
import { sha256 } from "../core/sha256.ts";
import type { WriterSecrets } from "../crypto/secrets.ts";
import type { Signer } from "../crypto/signature.ts";
import { planToken } from "../crypto/tokens.ts";
import { type BackupResult, backUp, newProgress } from "../engine/backup/run.ts";
import type { BackupProblem, BackupProgress, ScannedEntry } from "../engine/backup/types.ts";
import { isStateDamage } from "../wire/v4/state-reader.ts";
import { ENTRY } from "../wire/v4/tree-types.ts";
import type { VaultPort } from "../wire/v4/vault-port.ts";
import type { Excluder } from "./excludes.ts";
import { rawFromNative } from "./native-path.ts";
import { createOwners } from "./owners.ts";
import { nodePlatform } from "./platform.ts";
import { readTotals, saveTotals } from "./run-totals.ts";
import { createScanner, type ScannerOptions } from "./scanner.ts";
import { createSealPool } from "./seal-pool.ts";
import { openState, StateWriter } from "./state-store.ts";
import { limitUploads } from "./upload-limit.ts";

export type BackupRequest = {
  readonly vault: VaultPort;
  readonly device: { readonly writer: WriterSecrets; readonly signer: Signer };
  /** Names the run; see BackupOptions. */
  readonly session?: SessionId | undefined;
  /** Where the state file of a plan and a set of sources lies; undefined: keep none and read everything. */
  readonly statePath: ((plan: NameToken, sources: string) => string) | undefined;
  /** As the user gave them; made absolute here. */
  readonly paths: readonly string[];
  readonly plan: string;
  readonly tags: readonly string[];
  readonly excluder: Excluder | undefined;
  readonly oneFileSystem: boolean;
  /** A file made of a stream (standard input). */
  readonly stdin?: { readonly filename: string; readonly stream: AsyncIterable<Uint8Array> } | undefined;
  /** A file made of what a command prints; it must end with 0. */
  readonly command?: { readonly filename: string; readonly argv: readonly string[] } | undefined;
  readonly compressionLevel: number;
  readonly dryRun: boolean;
  readonly force: boolean;
  /** 0 = one for each core. */
  readonly workers: number;
  readonly packBytes: number;
  /** Bytes a second that go to the vault at most, now; 0 or nothing: no limit. */
  readonly uploadBytesPerSecond?: number | (() => number);
  readonly program: string;
  readonly progress?: BackupProgress;
  readonly signal: AbortSignal | undefined;
  readonly logger: Logger;
};

export type BackupReport = {
  readonly snapshot: SnapshotId | undefined;
  readonly head: BackupResult["head"];
  readonly stats: Pick<
    BackupProgress,
    | "files"
    | "directories"
    | "others"
    | "bytes"
    | "newFiles"
    | "changedFiles"
    | "unchangedFiles"
    | "addedBytes"
    | "newBytes"
  >;
  /** The first thousand. */
  readonly problems: readonly BackupProblem[];
  readonly problemCount: number;
  readonly durationMs: number;
};

const MAX_WORKERS = 8;

export async function runBackup(request: BackupRequest): Promise<BackupReport> {
  const progress = request.progress ?? newProgress();
  const startedAt = nodePlatform.clock.monotonic();
  try {
    return report(await attempt(request, progress, false), progress, startedAt);
  } catch (error) {
    if (!isStateDamage(error)) throw error;
    request.logger.warn("the state file of the last run is damaged; everything is read again");
    Object.assign(progress, newProgress());
    return report(await attempt(request, progress, true), progress, startedAt);
  }
}

async function attempt(request: BackupRequest, progress: BackupProgress, ignoreState: boolean): Promise<BackupResult> {
  const { vault, device, plan, dryRun } = request;
  const token = await planToken(device.writer.metaKey, plan);
  const attributeProblems: BackupProblem[] = [];
  const scanner = scannerOptions(request, attributeProblems);
  // A stream is read anyway: a state would only push out that of the folders.
  const statePath = scanner.stream ? undefined : request.statePath?.(token, await sourcesKey(scanner.paths));
  const saved = statePath && !ignoreState ? openState(statePath, vault.vaultId, token, request.logger) : undefined;
  if (statePath) progress.expected = readTotals(statePath);
  const state = statePath && !dryRun ? new StateWriter(statePath, vault.vaultId, token) : undefined;
  try {
    const result = await backUp({
      vault: limitUploads(vault, request.uploadBytesPerSecond ?? 0, nodePlatform.clock),
      platform: nodePlatform,
      session: ignoreState ? undefined : request.session,
      source: createScanner(scanner),
      createPool: (keys) =>
        createSealPool(keys, request.workers || Math.min(availableParallelism(), MAX_WORKERS), progress),
      writer: device.writer,
      signer: device.signer,
      plan,
      tags: request.tags,
      about: {
        paths: [...scanner.paths, ...(scanner.stream ? [scanner.stream.path] : [])],
        host: hostname(),
        user: userName(),
        program: request.program,
      },
      previous: saved,
      writeState: state && ((bytes) => state.write(bytes)),
      force: request.force,
      dryRun,
      level: request.compressionLevel,
      packBytes: request.packBytes,
      progress,
      signal: request.signal,
    });
    state?.commit();
    if (state && statePath) saveTotals(statePath, progress, request.logger);
    progress.problems += attributeProblems.length;
    return { ...result, problems: [...result.problems, ...attributeProblems] };
  } finally {
    state?.abort();
    saved?.close();
  }
}

function report(result: BackupResult, progress: BackupProgress, startedAt: number): BackupReport {
  const { files, directories, others, bytes, newFiles, changedFiles, unchangedFiles, addedBytes, newBytes } = progress;
  return {
    snapshot: result.snapshot,
    head: result.head,
    stats: { files, directories, others, bytes, newFiles, changedFiles, unchangedFiles, addedBytes, newBytes },
    problems: result.problems,
    problemCount: progress.problems,
    durationMs: nodePlatform.clock.monotonic() - startedAt,
  };
}

function scannerOptions(request: BackupRequest, problems: BackupProblem[]): ScannerOptions {
  const stream = request.stdin
    ? { filename: request.stdin.filename, bytes: request.stdin.stream }
    : request.command && {
        filename: request.command.filename,
        bytes: commandOutput(request.command.argv, request.signal),
      };
  return {
    paths: request.paths.map((path) => rawFromNative(resolve(path))),
    excluder: request.excluder,
    oneFileSystem: request.oneFileSystem,
    owners: createOwners(readText),
    ...(stream
      ? {
          stream: {
            path: rawFromText(`/${requireSafeRelativePath(stream.filename)}`),
            bytes: stream.bytes,
            entry: streamEntry(),
          },
        }
      : {}),
    onProblem: (path: RawPath, code: string) => problems.push({ path, code }),
  };
}

/** 16 hex digits that stand for a set of folders. */
async function sourcesKey(paths: readonly RawPath[]): Promise<string> {
  const listed = rawToBytes([...new Set(paths)].sort().join("\0") as RawPath);
  return toHex(await sha256(listed)).slice(0, 16);
}

/** Metadata of a file that no file system knows. */
function streamEntry(): Omit<ScannedEntry, "name" | "path"> {
  const seconds = Math.floor(nodePlatform.clock.now() / 1000);
  return {
    type: ENTRY.file,
    mode: 0o600,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    links: 1,
    size: 0,
    mtimeSeconds: seconds,
    mtimeNanos: 0,
    ctimeSeconds: seconds,
    ctimeNanos: 0,
    birthSeconds: undefined,
    birthNanos: undefined,
    inode: 0,
    device: 0,
    rdevMajor: 0,
    rdevMinor: 0,
    allocated: 0,
  };
}

/** What a command prints. Fails when it ends with anything but 0, so that half a dump never becomes a snapshot. */
async function* commandOutput(argv: readonly string[], signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], ...(signal ? { signal } : {}) });
  const ended = new Promise<string | undefined>((done) => {
    child.on("error", (error) => done(error.message));
    child.on("close", (code, killedBy) =>
      done(code === 0 ? undefined : `it ended with ${killedBy ?? `exit code ${code}`}`),
    );
  });
  for await (const slice of child.stdout) yield slice as Uint8Array;
  const problem = await ended;
  if (signal?.aborted) throw new AppError("interrupted");
  if (problem !== undefined) throw new AppError("command_failed", { context: { command: program, detail: problem } });
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A uid without an entry in the user database has no name.
    return String(process.getuid?.() ?? "");
  }
}
