// What an administrator does with a vault on a server: signed statements are posted, long work is a job that is watched, and cancelled
// when its caller gives up. Who calls is a person with an API key; their role says what they may.

import { isAppError } from "../../core/errors.ts";
import type { SnapshotId, VaultId } from "../../core/ids.ts";
import type {
  CheckOptions,
  CheckReport,
  GcOptions,
  GcPlan,
  GcResult,
  RebuildReport,
  ScrubOptions,
  ScrubReport,
  VaultAdminPort,
  VaultStats,
  Watched,
} from "../../wire/v4/admin-port.ts";
import { checkMessage } from "../../wire/v4/api/coding.ts";
import { JOB_RESULTS } from "../../wire/v4/api/job-results.ts";
import type { JobKind } from "../../wire/v4/api/job-routes.ts";
import type { Route } from "../../wire/v4/api/route.ts";
import { VAULT_ROUTES } from "../../wire/v4/api/vault-routes.ts";
import type { LogHead, SignedStatement } from "../../wire/v4/vault-port.ts";
import type { ApiClient } from "./api-client.ts";
import { type AnswerOf, type Asked, answerInvalid } from "./exchange.ts";
import { type JobAsk, type JobProgress, runJob } from "./run-job.ts";

export type RemoteAdminOptions = {
  readonly api: ApiClient;
  readonly vault: VaultId;
  /** Gives the server a fresh second factor; false when nobody can be asked for one. */
  readonly giveFactor?: (() => Promise<boolean>) | undefined;
};

type JobOptions = NonNullable<JobAsk["options"]>;

export class RemoteAdmin implements VaultAdminPort {
  readonly #options: RemoteAdminOptions;

  constructor(options: RemoteAdminOptions) {
    this.#options = options;
  }

  async apply({ type, body, by, sig }: SignedStatement, keyslotFile?: Uint8Array): Promise<LogHead> {
    const statement = { type, body, by: by ?? null, sig: sig ?? null };
    const file = keyslotFile === undefined ? null : new Uint8Array(keyslotFile);
    const params = { vault: this.#options.vault };
    return this.#call(VAULT_ROUTES.statement, { params, body: { statement, keyslotFile: file } });
  }

  async purgeTrash(olderThanMs: number): Promise<SnapshotId[]> {
    return (await this.#work("trash", JOB_RESULTS.trash, { olderThanMs })).purgedSnapshots;
  }

  planGarbage(options: GcOptions = {}): Promise<GcPlan> {
    return this.#work("gc", JOB_RESULTS.gcPlan, gcOptions(options), { dryRun: true, ...watched(options) });
  }

  collectGarbage(options: GcOptions = {}): Promise<GcResult> {
    return this.#work("gc", JOB_RESULTS.gc, gcOptions(options), watched(options));
  }

  scrub({ sample, bytesPerSecond, ...watching }: ScrubOptions = {}): Promise<ScrubReport> {
    return this.#work("scrub", JOB_RESULTS.scrub, given({ sample, bytesPerSecond }), watched(watching));
  }

  /** Without reading the data it changes nothing and is a viewer's. */
  check({ readData = false, ...watching }: CheckOptions = {}): Promise<CheckReport> {
    return this.#work("check", JOB_RESULTS.check, readData ? { readData } : {}, {
      dryRun: !readData,
      ...watched(watching),
    });
  }

  rebuild({ signal, onProgress }: Watched<{ readonly donePacks: number }> = {}): Promise<RebuildReport> {
    const tell = onProgress && (({ done }: JobProgress) => onProgress({ donePacks: done }));
    return this.#work("rebuild", JOB_RESULTS.rebuild, {}, { signal, tell });
  }

  async stats(): Promise<VaultStats> {
    return (await this.#call(VAULT_ROUTES.vault, { params: { vault: this.#options.vault } })).stats;
  }

  async #work<Schema extends (typeof JOB_RESULTS)[keyof typeof JOB_RESULTS]>(
    kind: JobKind,
    schema: Schema,
    options: JobOptions,
    { dryRun = false, signal, tell }: WorkOptions = {},
  ): Promise<ReturnType<Schema["parse"]>> {
    const { api, vault } = this.#options;
    const job = await runJob(
      api,
      { kind, vault, options, dryRun },
      {
        signal,
        onProgress: tell,
        call: (route, asked) => this.#call(route, asked),
      },
    );
    return resultOf(schema, job.result) as ReturnType<Schema["parse"]>;
  }

  async #call<R extends Route>(route: R, asked: Asked<R>): Promise<AnswerOf<R>> {
    const { api, giveFactor } = this.#options;
    try {
      return await api.call(route, asked);
    } catch (error) {
      if (!isAppError(error, "second_factor_needed") || !(await giveFactor?.())) throw error;
      return api.call(route, asked);
    }
  }
}

type WorkOptions = {
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly tell?: ((progress: JobProgress) => void) | undefined;
};

function watched({ signal, onProgress }: Watched): WorkOptions {
  const tell = onProgress && (({ done, total }: JobProgress) => onProgress({ doneBytes: done, totalBytes: total }));
  return { signal, tell };
}

function gcOptions({ trashMs, maxDeadShare, smallPackBytes, targetPackBytes }: GcOptions): JobOptions {
  return given({ trashMs, maxDeadShare, smallPackBytes, targetPackBytes });
}

function given(options: Readonly<Record<string, number | undefined>>): JobOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function resultOf(schema: (typeof JOB_RESULTS)[keyof typeof JOB_RESULTS], result: unknown): unknown {
  try {
    return checkMessage(schema, result);
  } catch (error) {
    if (!isAppError(error, "request_invalid")) throw error;
    throw answerInvalid(`result of a job: ${error.context.detail}.`, error);
  }
}
