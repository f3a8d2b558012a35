// Errors as they cross the API: application/problem+json (RFC 9457), both ways. A client makes of it the error that the server
// had, as far as its table knows the code; what it does not know stays readable as `internal`.

import { z } from "zod";
import { AppError, ERRORS, type ErrorCode } from "../../../core/errors.ts";

const URN = "urn:cyberbackup:error:";
const scalar = z.union([z.string().max(4096), z.number(), z.boolean()]);

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  hint: z.string(),
  retry: z.boolean(),
  context: z.record(z.string(), scalar),
  requestId: z.string(),
});

export type Problem = z.output<typeof problemSchema>;

export function problemOf(error: AppError, requestId: string): Problem {
  const context = Object.entries(error.context).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, typeof value === "bigint" ? Number(value) : value] as const],
  );
  return {
    type: URN + error.code,
    title: error.code.replaceAll("_", " "),
    status: ERRORS[error.code].http,
    detail: error.message,
    code: error.code,
    hint: error.hint,
    retry: error.retry,
    context: Object.fromEntries(context),
    requestId,
  };
}

/** undefined when `value` is no problem of ours. */
export function errorOfProblem(value: unknown): AppError | undefined {
  const parsed = problemSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { code, context, detail, requestId } = parsed.data;
  if (Object.hasOwn(ERRORS, code)) return new AppError(code as ErrorCode, { context: { ...context, requestId } });
  return new AppError("internal", { context: { detail, requestId } });
}
