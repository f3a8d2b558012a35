// DATA/running.json: where the server that runs in a data folder can be reached, for `up`, `status` and `down`. It is only worth
// anything while the lock beside it is held by the process that it names; it holds no secret.

import { access, constants, unlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { tryUtf8Decode } from "../core/bytes.ts";
import { AppError } from "../core/errors.ts";
import { readFileIfExists, writeFileAtomic } from "../node/atomic-file.ts";
import { type LockHolder, lockHolder } from "./lock.ts";

const instanceSchema = z.strictObject({
  pid: z.int(),
  version: z.string(),
  /** As devices and people reach it. */
  address: z.string(),
  fingerprint: z.string().optional(),
  port: z.int().optional(),
  httpPort: z.int().optional(),
  socket: z.string(),
  /** `address:port` for clients of version 3. */
  gateway: z.string().optional(),
  page: z.boolean(),
});

export type Instance = z.infer<typeof instanceSchema>;

/** A data folder's server: who holds the lock, and what it has said of itself once it was ready. */
export type Running = { readonly holder: LockHolder | undefined; readonly instance: Instance | undefined };

const FILE = "running.json";

export async function writeInstance(data: string, instance: Instance): Promise<void> {
  await writeFileAtomic(join(data, FILE), `${JSON.stringify(instance)}\n`);
}

export async function removeInstance(data: string): Promise<void> {
  await unlink(join(data, FILE)).catch(() => undefined);
}

/** undefined when no server runs there. */
export async function findRunning(data: string): Promise<Running | undefined> {
  const holder = lockHolder(lockPath(data));
  if (holder === undefined) return undefined;
  if (holder === "unnamed") return { holder: undefined, instance: undefined };
  const instance = await readInstance(data);
  return { holder, instance: instance?.pid === holder.pid ? instance : undefined };
}

/**
 * Throws `server_not_running`, at once: nobody has to wait for a server that has not been started. Of a folder that one may not look into
 * nothing is claimed (`io`).
 */
export async function requireRunning(data: string): Promise<void> {
  if ((await findRunning(data)) !== undefined) return;
  await access(data, constants.R_OK | constants.X_OK).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EACCES") return;
    throw new AppError("io", { cause, context: { path: data, detail: "it is another user's." } });
  });
  throw new AppError("server_not_running", { context: { data } });
}

export function lockPath(data: string): string {
  return join(data, "server.lock");
}

async function readInstance(data: string): Promise<Instance | undefined> {
  const text = tryUtf8Decode((await readFileIfExists(join(data, FILE))) ?? new Uint8Array());
  try {
    return instanceSchema.safeParse(JSON.parse(text ?? "")).data;
  } catch {
    return undefined;
  }
}
