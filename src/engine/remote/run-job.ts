// A job of a server, from its start to its end: watched while it runs, and cancelled when its caller gives up.

import { AppError, ERRORS, type ErrorCode, isAppError } from "../../core/errors.ts";
import { JOB_ROUTES, type Job, type JobKind } from "../../wire/v4/api/job-routes.ts";
import type { Route } from "../../wire/v4/api/route.ts";
import type { ApiClient } from "./api-client.ts";
import type { AnswerOf, Asked } from "./exchange.ts";

export type JobAsk = {
  readonly kind: JobKind;
  /** A name or an id; null for jobs of the server itself. */
  readonly vault: string | null;
  readonly options?: NonNullable<Asked<typeof JOB_ROUTES.startJob>["body"]["options"]>;
  readonly dryRun: boolean;
};

export type JobProgress = NonNullable<Job["progress"]>;

export type RunJobOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: JobProgress) => void) | undefined;
  /** Makes calls in place of the client's own way. */
  readonly call?: <R extends Route>(route: R, asked: Asked<R>) => Promise<AnswerOf<R>>;
};

/** Seconds for which the server holds a question about a job that has nothing new. */
const WAIT_SECONDS = 20;
const FAREWELL_MS = 5000;

/** The job once it is done. Throws what made it fail, and `interrupted` when somebody cancelled it. */
export async function runJob(api: ApiClient, ask: JobAsk, options: RunJobOptions = {}): Promise<Job> {
  const { signal, onProgress, call = (route, asked) => api.call(route, asked) } = options;
  let job = await call(JOB_ROUTES.startJob, { body: { options: {}, ...ask }, signal });
  try {
    while (job.state === "waiting" || job.state === "running") {
      if (job.progress) onProgress?.(job.progress);
      const query = { wait: WAIT_SECONDS, after: job.version };
      job = await call(JOB_ROUTES.job, { params: { id: job.id }, query, signal });
    }
  } catch (error) {
    if (isAppError(error, "interrupted")) await cancel(api, job.id);
    throw error;
  }
  if (job.state === "cancelled") throw new AppError("interrupted");
  if (job.state === "failed") throw errorOf(job);
  if (job.progress) onProgress?.(job.progress);
  return job;
}

/** Best effort: a job that goes on harms nothing. */
async function cancel(api: ApiClient, id: string): Promise<void> {
  const signal = AbortSignal.timeout(FAREWELL_MS);
  await api.farewell(JOB_ROUTES.cancelJob, { params: { id } }, signal).catch(() => undefined);
}

function errorOf({ error }: Job): AppError {
  const { code = "internal", context = {} } = error ?? {};
  if (Object.hasOwn(ERRORS, code)) return new AppError(code as ErrorCode, { context });
  return new AppError("internal", { context: { detail: `the server's job failed (${code}).` } });
}
