// The vault that a command works on. Whoever opens one gets the rollback check with it; keys are asked for on demand.

import { type DeviceFile, type Home, openHome } from "../client/home.ts";
import { nodePlatform } from "../client/platform.ts";
import { unlock } from "../client/unlock.ts";
import { AppError, isAppError } from "../core/errors.ts";
import type { ReaderSecrets } from "../crypto/secrets.ts";
import { importSigner, type Signer } from "../crypto/signature.ts";
import { checkHead } from "../engine/heads.ts";
import { openReader, type VaultReader } from "../engine/reader/reader.ts";
import type { VaultPort } from "../wire/v4/vault-port.ts";
import { type Connected, type ConnectOptions, connect } from "./connect.ts";
import type { Context } from "./context.ts";
import { credentials, hasCredentials } from "./passphrase.ts";
import { givenWriter } from "./writer-option.ts";

export type OpenedVault = Connected & {
  readonly home: Home;
  /** Asks for a passphrase the first time. */
  secrets(): Promise<ReaderSecrets>;
  reader(): Promise<VaultReader>;
  /** This machine's enrolment: from the writer file if one is given. Throws `not_enrolled`. */
  device(): Promise<DeviceFile>;
  signer(): Promise<Signer>;
};

const ATTEMPTS = 3;

type WithVaultOptions = ConnectOptions & {
  /** See `withReader`. */
  readonly unlocks?: boolean;
};

/** Opens the vault, does `work`, and closes it whatever happens. Throws `rollback`, `vault_not_found`, and what `work` throws. */
export async function withVault<T>(
  context: Context,
  work: (opened: OpenedVault) => Promise<T>,
  { unlocks = false, ...options }: WithVaultOptions = {},
): Promise<T> {
  const home = openHome(context.config.home, context.logger);
  const connected = await connect(context, options);
  const { vault } = connected;
  try {
    const handle = opened(context, connected, home);
    // Whoever asks for the secrets hears what went wrong.
    if (unlocks && hasCredentials(context)) handle.secrets().catch(() => undefined);
    await checkHead({ vault, home });
    const result = await work(handle);
    // What this run added to the log is what the next one must find.
    await checkHead({ vault, home });
    return result;
  } finally {
    await vault.close();
  }
}

/** The same for a command that is sure to read: unlocking begins beside the rollback check, unless a person has to be asked. */
export function withReader<T>(context: Context, work: (opened: OpenedVault) => Promise<T>): Promise<T> {
  return withVault(context, work, { unlocks: true });
}

/** Enrolment for one run, or this machine's own. */
export async function readDevice(context: Context, home: Home, vault: Pick<VaultPort, "vaultId">): Promise<DeviceFile> {
  const file = await givenWriter(context);
  if (!file) return home.requireDevice(vault.vaultId);
  if (file.vault === vault.vaultId) return file;
  throw new AppError("vault_mismatch", { context: { detail: "the writer file was made for another vault" } });
}

function opened(context: Context, connected: Connected, home: Home): OpenedVault {
  const { vault } = connected;
  const device = once(() => readDevice(context, home, vault));
  const secrets = once(() => unlockWith(context, vault, home));
  const reader = once(async () =>
    openReader({
      vault,
      secrets: await secrets(),
      platform: nodePlatform,
      cacheBytes: context.config.cacheMiB * 2 ** 20,
    }),
  );
  const signer = once(async () => importSigner((await device()).signingKey));
  return { ...connected, home, secrets, reader, device, signer };
}

/** A person at a terminal may mistype. */
async function unlockWith(context: Context, vault: VaultPort, home: Home): Promise<ReaderSecrets> {
  const writer = (await home.device(vault.vaultId))?.writer;
  const given = await credentials(context);
  const isAsked = "passphrase" in given && typeof given.passphrase === "function";
  for (let left = isAsked ? ATTEMPTS : 1; ; left--) {
    try {
      return await unlock({ vault, writer, ...given });
    } catch (error) {
      if (left === 1 || !isAppError(error, "passphrase_wrong")) throw error;
      context.output.warn(error.message);
    }
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
