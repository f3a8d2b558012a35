// The writer file that enrols a machine for one run.

import { readFile } from "node:fs/promises";
import type { DeviceFile } from "../client/home.ts";
import { decodeWriterFile } from "../client/writer-file.ts";
import { AppError } from "../core/errors.ts";
import type { Context } from "./context.ts";

/** undefined when none is given. Throws `io`, `writer_file_invalid`. */
export async function givenWriter({ config }: Pick<Context, "config">): Promise<DeviceFile | undefined> {
  const path = config.writerFile;
  if (!path) return undefined;
  try {
    return await decodeWriterFile(await readFile(path, "utf8"));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError("io", { cause, context: { path, detail: `${(cause as Error).message}.` } });
  }
}
