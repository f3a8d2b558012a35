// The agent's backup of a plan: the vault is opened for the run and closed after it, as the device, with writer secrets alone. In vaults that are
// folders of this machine the plan's retention follows; at a server a device may remove nothing.

import { readFile } from "node:fs/promises";
import type { BackUp, BackupRequest } from "../client/agent/perform.ts";
import { runBackup } from "../client/backup.ts";
import { createExcluder } from "../client/excludes.ts";
import { gateUploads } from "../client/gated-vault.ts";
import { AppError } from "../core/errors.ts";
import type { DeviceId, NameToken, SessionId, SnapshotId } from "../core/ids.ts";
import { rawFromText } from "../core/raw-path.ts";
import { planToken } from "../crypto/tokens.ts";
import { requireCommitted } from "../engine/heads.ts";
import { openCalendar } from "../engine/schedule.ts";
import { programName } from "../node/version.ts";
import type { Plan } from "../wire/v4/plan-body.ts";
import { parseSchedule } from "../wire/v4/plan-schedule.ts";
import { decodeSnapshotRecord } from "../wire/v4/snapshot-record.ts";
import type { VaultPort } from "../wire/v4/vault-port.ts";
import { applyKeep } from "./agent-keep.ts";
import { LEVELS, requireSource } from "./commands/backup.ts";
import type { Context } from "./context.ts";
import { type OpenedVault, withVault } from "./open-vault.ts";

/** Snapshots of the plan, the newest first, among which the one of a run that was killed must be. */
const LOOK_AT = 4;

export function agentBackUp(context: Context, timeZone: string): BackUp {
  return (request) => {
    const { place, signal } = request;
    const config = { ...context.config, vault: place.vault, writerFile: undefined };
    const own: Context = { ...context, config, host: { ...context.host, signal } };
    return withVault(own, (opened) => backUp(own, opened, request, timeZone), {
      trustBlockHashes: true,
      asDevice: true,
    });
  };
}

async function backUp(context: Context, opened: OpenedVault, request: BackupRequest, timeZone: string) {
  const { vault, home, server } = opened;
  const { plan, killed, signal, gate } = request;
  if (vault.vaultId !== request.vault) {
    throw new AppError("vault_mismatch", { context: { detail: "the plan's place names another vault" } });
  }
  const device = await opened.device();
  const token = await planToken(device.writer.metaKey, plan.name);
  const there = killed && (await snapshotOf(vault, device.device, token, killed));
  if (there) return { snapshot: there, wasThere: true, problems: [], problemCount: 0 };
  // A disk that is not mounted must not become an empty snapshot.
  const missing = await requireSource({ paths: plan.sources, ...(plan.command ? { command: plan.command } : {}) });
  if (missing) throw missing;
  const { config, host, logger } = context;
  const report = await runBackup({
    vault: gateUploads(vault, { pass: () => gate.pass(signal) }),
    device: { writer: device.writer, signer: await opened.signer() },
    session: request.run,
    statePath: (name: NameToken, sources: string) => home.statePath(vault.vaultId, name, sources),
    plan: plan.name,
    tags: plan.tags,
    paths: plan.sources,
    ...(plan.command ? { command: plan.command } : {}),
    excluder: await excluderOf(plan),
    oneFileSystem: plan.oneFileSystem,
    compressionLevel: LEVELS[plan.compression ?? config.compression],
    dryRun: false,
    force: false,
    workers: config.workers,
    packBytes: config.packSizeMiB * 2 ** 20,
    uploadBytesPerSecond: rateOf(plan, config.uploadLimitKiBps, timeZone, () => host.clock.now()),
    program: programName(),
    progress: request.progress,
    signal,
    logger,
  });
  const snapshot = report.snapshot!;
  if (server) await requireCommitted({ vault, home, snapshot });
  else if (plan.keep) await applyKeep(opened, plan.keep, { plan: token, now: host.clock.now(), timeZone });
  return { snapshot, wasThere: false, problems: report.problems, problemCount: report.problemCount };
}

/** The snapshot that a run committed before it was killed. */
async function snapshotOf(
  vault: VaultPort,
  device: DeviceId,
  plan: NameToken,
  run: SessionId,
): Promise<SnapshotId | undefined> {
  const own = (await vault.snapshots()).filter((row) => row.device === device && row.plan === plan);
  for (const { id } of own.sort((a, b) => b.seq - a.seq).slice(0, LOOK_AT)) {
    const record = await decodeSnapshotRecord(await vault.snapshotRecord(id));
    if (record.session === run) return id;
  }
  return undefined;
}

async function excluderOf(plan: Plan) {
  return createExcluder({
    roots: plan.sources.map(rawFromText),
    patterns: plan.exclude,
    caselessPatterns: plan.iexclude,
    patternFiles: await Promise.all(plan.excludeFiles.map(readPatterns)),
    excludeCaches: plan.excludeCaches,
    excludeLargerThan: plan.excludeLargerThanMiB && plan.excludeLargerThanMiB * 2 ** 20,
  });
}

async function readPatterns(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new AppError("io", { cause, context: { path, detail: `${(cause as NodeJS.ErrnoException).code}.` } });
  }
}

/** Bytes a second now: the lowest of the device's own limit and those windows of the plan that are open. */
function rateOf(plan: Plan, ownKibps: number, timeZone: string, now: () => number): () => number {
  const limits = plan.uploadLimits.map(({ when, kibps }) => ({
    kibps,
    calendar: openCalendar(parseSchedule(when), plan.timeZone ?? timeZone),
  }));
  return () => {
    const at = now();
    const open = limits.filter(({ calendar }) => calendar.isWithin(at)).map(({ kibps }) => kibps);
    const rates = [...(ownKibps > 0 ? [ownKibps] : []), ...open];
    return rates.length === 0 ? 0 : Math.min(...rates) * 2 ** 10;
  };
}
