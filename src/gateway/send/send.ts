// Files to a server of protocol 3, as the old client sends them: all on one connection, three tries for each, waiting longer before
// each new one. A file counts as sent when the server has confirmed that it keeps it, never before.

import { LIMITS } from "../../core/config-schema.ts";
import { AppError, isAppError } from "../../core/errors.ts";
import type { V3ClientId } from "../../core/ids.ts";
import type { Logger } from "../../core/log.ts";
import type { ServerAddress } from "../old-files.ts";
import { type Connection, openConnection } from "./connection.ts";
import { FileSource } from "./file-source.ts";
import type { IdentityStore } from "./identity.ts";
import { logIn, type Session } from "./login.ts";
import { announceResend, confirmFile, giveUpFile, nameAtServer, sendFile } from "./transfer.ts";

export type SendRequest = {
  readonly server: ServerAddress;
  readonly user: string;
  readonly identity: IdentityStore;
  readonly paths: readonly string[];
  /** Waits between tries; ends early, without an error, when the signal fires. */
  readonly wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly progress: SendProgress;
  readonly signal: AbortSignal | undefined;
  readonly logger: Logger;
  readonly silenceMs?: number;
};

/** Live figures: the run changes them, a renderer looks at them when it likes. */
export type SendProgress = {
  phase: "connecting" | "sending" | "done";
  files: number;
  totalFiles: number;
  /** Ciphertext of this file's try, which is a little more than the file. */
  bytes: number;
  totalBytes: number;
  problems: number;
  current: string;
};

export type SentFile = {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly cksum: number;
  readonly tries: number;
};

export type SendReport = {
  readonly client: V3ClientId | undefined;
  /** True when this run registered the name. */
  readonly isNew: boolean;
  readonly sent: readonly SentFile[];
  readonly failed: readonly { readonly path: string; readonly error: AppError }[];
};

/** What another try may mend. Everything else is true of the file or of us, and stays so. */
const WORTH_ANOTHER_TRY = ["v3_connection", "v3_refused", "v3_protocol"] as const;
/** What fails one file and not the next. */
const FAILS_ONE_FILE = ["v3_refused", "v3_checksum", "io", "limit", "filename_invalid"] as const;

export function newSendProgress(): SendProgress {
  return { phase: "connecting", files: 0, totalFiles: 0, bytes: 0, totalBytes: 0, problems: 0, current: "" };
}

/**
 * Throws what keeps every file from being sent: `v3_unreachable`, `v3_connection`, `v3_name_taken`, `v3_name_refused`, `interrupted` …
 * Once a file has arrived there is a report, which names such an error for each file that did not.
 */
export async function sendFiles(request: SendRequest): Promise<SendReport> {
  const run = new SendRun(request);
  try {
    return await run.all();
  } finally {
    run.end();
  }
}

class SendRun {
  readonly #request: SendRequest;
  #session: Session | undefined;
  #client: V3ClientId | undefined;
  #isNew = false;
  /** 1030 was sent on this connection and may still be answered. */
  #isResent = false;

  constructor(request: SendRequest) {
    this.#request = request;
  }

  async all(): Promise<SendReport> {
    const { paths, progress } = this.#request;
    const sent: SentFile[] = [];
    const failed: { path: string; error: AppError }[] = [];
    let fatal: AppError | undefined;
    progress.totalFiles = paths.length;
    for (const path of paths) {
      progress.current = path;
      try {
        if (fatal) throw fatal;
        sent.push(await this.#one(path));
      } catch (error) {
        if (!FAILS_ONE_FILE.some((code) => isAppError(error, code))) {
          if (sent.length === 0 || !(error instanceof AppError) || error.code === "interrupted") throw error;
          fatal = error;
        }
        failed.push({ path, error: error as AppError });
        progress.problems++;
      }
      progress.files++;
    }
    progress.phase = "done";
    return { client: this.#client, isNew: this.#isNew, sent, failed };
  }

  end(): void {
    this.#session?.connection.end();
    this.#session = undefined;
    this.#isResent = false;
  }

  async #one(path: string): Promise<SentFile> {
    const name = nameAtServer(path);
    for (let tries = 1; ; tries++) {
      // Opened for each try: a file that changed meanwhile is sent as it is then.
      const source = await FileSource.open(path);
      try {
        const cksum = await this.#try(source, tries);
        if (cksum !== undefined) return { path, name, sizeBytes: source.sizeBytes, cksum, tries };
      } finally {
        await source.close();
      }
    }
  }

  /** The checksum when the server keeps the file; nothing when it should be tried again. */
  async #try(source: FileSource, tries: number): Promise<number | undefined> {
    const { logger, wait, signal } = this.#request;
    const isLast = tries >= LIMITS.v3FileTries.value;
    try {
      const session = await this.#ready();
      const cksum = await this.#transfer(session, source);
      if (cksum !== undefined) return cksum;
      logger.warn("the checksum is wrong", { tries });
      if (!isLast) {
        await announceResend(session, source.path);
        this.#isResent = true;
        return undefined;
      }
      await giveUpFile(session, source.path);
    } catch (error) {
      // Nobody knows how far the server is: the next try begins with a connection of its own.
      this.end();
      if (isLast || !WORTH_ANOTHER_TRY.some((code) => isAppError(error, code))) throw error;
      logger.warn("sending failed and is tried again", { tries, code: (error as AppError).code });
      await wait(backOffMs(tries), signal);
      return undefined;
    }
    throw new AppError("v3_checksum", { context: { path: source.path, detail: `it was so in ${tries} tries.` } });
  }

  async #ready(): Promise<Session> {
    const { identity, user, progress } = this.#request;
    if (this.#session) return this.#session;
    progress.phase = "connecting";
    this.#session = await logIn({ open: () => this.#connect(), identity, user });
    this.#client = this.#session.client;
    this.#isNew ||= this.#session.isNew;
    return this.#session;
  }

  /** The checksum when it is right and the server has confirmed. */
  async #transfer(session: Session, source: FileSource): Promise<number | undefined> {
    const { progress } = this.#request;
    progress.phase = "sending";
    progress.bytes = 0;
    progress.totalBytes = source.plan.cipherBytes;
    const isResent = this.#isResent;
    this.#isResent = false;
    const onBytes = (bytes: number): void => {
      progress.bytes += bytes;
    };
    const { cksum, serverCksum } = await sendFile(session, source, { isResent, onBytes });
    if (cksum !== serverCksum || (await source.hasChanged())) return undefined;
    await confirmFile(session, source.path);
    return cksum;
  }

  async #connect(): Promise<Connection> {
    const { server, signal, wait, logger, silenceMs = LIMITS.v3SilenceSeconds.value * 1000 } = this.#request;
    for (let tries = 1; ; tries++) {
      try {
        return await openConnection({ server, silenceMs, signal });
      } catch (error) {
        if (!isAppError(error, "v3_unreachable") || tries >= LIMITS.v3ConnectTries.value) throw error;
        logger.warn("the server cannot be reached and is tried again", { tries });
        await wait(backOffMs(tries), signal);
      }
    }
  }
}

function backOffMs(tries: number): number {
  return LIMITS.v3BackOffMs.value * 2 ** (tries - 1);
}
