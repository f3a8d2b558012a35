// The home folder: what belongs to this machine and not to a vault. Layout: docs/format.md, Files on the device.
// Every file is replaced as a whole and readable by its owner alone.

import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, toHex, tryUtf8Decode, utf8 } from "../core/bytes.ts";
import { AppError, isAppError } from "../core/errors.ts";
import { ID_BYTES, type NameToken, type VaultId } from "../core/ids.ts";
import { type Logger, silentLogger } from "../core/log.ts";
import { sha256 } from "../core/sha256.ts";
import { type DeviceFile, decodeDeviceFile, encodeDeviceFile } from "../crypto/device-file.ts";
import { tryParseJson } from "../crypto/secrets.ts";
import { readFileIfExists, writeFileAtomic } from "../node/atomic-file.ts";
import type { LogHead } from "../wire/v4/vault-port.ts";
import { decodeServerFile, encodeServerFile, type ServerFile } from "./server-file.ts";

export type { DeviceFile } from "../crypto/device-file.ts";

export type Home = {
  readonly dir: string;
  /** Vaults in which this machine is enrolled, sorted. */
  vaults(): Promise<VaultId[]>;
  /** Undefined when this machine is not enrolled. Throws `record_corrupt`, `vault_mismatch`, `io`. */
  device(vault: VaultId): Promise<DeviceFile | undefined>;
  /** Throws `not_enrolled` where `device` answers undefined. */
  requireDevice(vault: VaultId): Promise<DeviceFile>;
  saveDevice(file: DeviceFile): Promise<void>;
  /** One that is not there is fine. */
  removeDevice(vault: VaultId): Promise<void>;
  /** What this machine knows of a server; undefined for one that it has never met. */
  server(origin: string): Promise<ServerFile | undefined>;
  saveServer(file: ServerFile): Promise<void>;
  /** All servers that this machine has met. One whose file is damaged is left out. */
  servers(): Promise<ServerFile[]>;
  /** The signing key of an enrolment that has not ended yet, by the name of its invitation; made when there is none. */
  enrolmentKey(invitation: string, make: () => Promise<Bytes>): Promise<Bytes>;
  endEnrolment(invitation: string): Promise<void>;
  /** The last log head that this machine saw. */
  head(vault: VaultId): Promise<LogHead | undefined>;
  saveHead(vault: VaultId, head: LogHead): Promise<void>;
  /** Path of the state file; its folder may be missing. */
  /** `sources` is 16 hex digits that stand for what is backed up: one plan may be run on several sets of folders. */
  statePath(vault: VaultId, plan: NameToken, sources: string): string;
};

export function openHome(dir: string, logger: Logger = silentLogger): Home {
  const devicePath = (vault: VaultId) => join(dir, "devices", `${requireId(vault, ID_BYTES.vault)}.json`);
  const headPath = (vault: VaultId) => join(dir, "heads", `${requireId(vault, ID_BYTES.vault)}.json`);
  // Origins hold characters that file names may not.
  const serverPath = async (origin: string) =>
    join(dir, "servers", `${toHex((await sha256(utf8(origin))).subarray(0, 16))}.json`);
  const enrolmentPath = (invitation: string) => join(dir, "enrolling", `${requireId(invitation, 16)}.key`);
  const home: Home = {
    dir,

    async vaults() {
      const names = await readdir(join(dir, "devices")).catch(() => [] as string[]);
      const ids = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
      return ids.filter((id): id is VaultId => isHexId(id, ID_BYTES.vault)).sort();
    },

    async device(vault) {
      const path = devicePath(vault);
      const content = await readFileIfExists(path);
      if (content === undefined) return undefined;
      await warnIfShared(path, logger);
      const file = await decodeContent(content);
      if (file.vault === vault) return file;
      throw new AppError("vault_mismatch", { context: { detail: "the device file of this machine names another" } });
    },

    async requireDevice(vault) {
      const file = await home.device(vault);
      if (file === undefined) throw new AppError("not_enrolled");
      return file;
    },

    saveDevice: async (file) => writeFileAtomic(devicePath(file.vault), encodeDeviceFile(file)),

    removeDevice: async (vault) => removeFile(devicePath(vault)),

    async server(origin) {
      const content = await readFileIfExists(await serverPath(origin));
      return content === undefined ? undefined : decodeServerFile(tryUtf8Decode(content) ?? "");
    },

    saveServer: async (file) => writeFileAtomic(await serverPath(file.origin), encodeServerFile(file)),

    async servers() {
      const names = (await readdir(join(dir, "servers")).catch(() => [] as string[])).filter((name) =>
        name.endsWith(".json"),
      );
      const files = await Promise.all(names.sort().map((name) => readServer(join(dir, "servers", name))));
      return files.filter((file) => file !== undefined);
    },

    async enrolmentKey(invitation, make) {
      const path = enrolmentPath(invitation);
      const known = await readFileIfExists(path);
      if (known) return known;
      const key = await make();
      await writeFileAtomic(path, key);
      return key;
    },

    endEnrolment: async (invitation) => removeFile(enrolmentPath(invitation)),

    async head(vault) {
      const content = await readFileIfExists(headPath(vault));
      return content === undefined ? undefined : decodeHead(content);
    },

    saveHead: async (vault, { seq, id }) => writeFileAtomic(headPath(vault), `${JSON.stringify({ seq, id })}\n`),

    statePath: (vault, plan, sources) =>
      join(
        dir,
        "state",
        requireId(vault, ID_BYTES.vault),
        `${requireId(plan, ID_BYTES.token)}-${requireId(sources, 8)}.state`,
      ),
  };
  return home;
}

async function readServer(path: string): Promise<ServerFile | undefined> {
  const content = await readFileIfExists(path);
  try {
    return content === undefined ? undefined : decodeServerFile(tryUtf8Decode(content) ?? "");
  } catch (error) {
    if (isAppError(error, "record_corrupt")) return undefined;
    throw error;
  }
}

async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** Writer secrets of others are not ours to give away, but a backup that stops because of it helps nobody: it is told. */
async function warnIfShared(path: string, logger: Logger): Promise<void> {
  if (process.platform === "win32") return;
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  logger.warn("Other users can read the keys of this machine: set the mode of its device file to 600.", {
    mode: (mode & 0o777).toString(8),
  });
}

async function decodeContent(content: Uint8Array): Promise<DeviceFile> {
  try {
    return await decodeDeviceFile(tryUtf8Decode(content) ?? "");
  } catch (error) {
    if (!isAppError(error, "writer_file_invalid")) throw error;
    return refuse("The device file of this machine", String(error.context.detail));
  }
}

function decodeHead(content: Uint8Array): LogHead {
  const map = tryParseJson(tryUtf8Decode(content) ?? "") as { seq?: unknown; id?: unknown } | null | undefined;
  const { seq, id } = map ?? {};
  if (typeof seq === "number" && Number.isSafeInteger(seq) && seq > 0 && isHexId(id, 32)) return { seq, id };
  return refuse("The remembered log head of this machine", "it is not one.");
}

function refuse(what: string, detail: string): never {
  throw new AppError("record_corrupt", { context: { what, detail } });
}

/** Ids become file names here, so that only what is an id may pass. */
function requireId(id: string, bytes: number): string {
  if (isHexId(id, bytes)) return id;
  throw new AppError("internal", { context: { detail: "an id that is none was to become a file name" } });
}

function isHexId(value: unknown, bytes: number): value is string {
  return typeof value === "string" && value.length === bytes * 2 && /^[0-9a-f]*$/.test(value);
}
