// What keeps this server from taking backups now, as far as it shows in the server itself: a vault that cannot be used, an index whose log
// the disk refused, a disk under its reserve. With what mends it there, in words that may leave the server: no paths, no reasons of the system.

import { AppError, type ErrorCode } from "../core/errors.ts";
import type { ServerTrouble } from "../wire/v4/api/people-routes.ts";
import { outward } from "./http/answer.ts";
import type { ServedVault } from "./vaults.ts";

type Words = Omit<ServerTrouble, "vault">;

/** What a vault's trouble is to people: null for one that takes backups, as far as the server knows. */
export function vaultTrouble({ name, problem, refusal }: ServedVault): Words | null {
  const error = problem ?? refusal;
  return error === undefined ? null : inWords(error, name);
}

/** Of the vaults that are given, and of the disk. */
export function serverTroubles(
  vaults: readonly ServedVault[],
  disk: { readonly freeBytes: number; readonly reserveBytes: number },
): ServerTrouble[] {
  const ofVaults = vaults.flatMap((served) => {
    const trouble = vaultTrouble(served);
    return trouble === null ? [] : [{ vault: served.name, ...trouble }];
  });
  if (disk.freeBytes >= disk.reserveBytes) return ofVaults;
  const reserve = `${Math.round(disk.reserveBytes / 2 ** 20)} MiB`;
  return [{ vault: null, ...inWords(new AppError("server_full", { context: { reserve } }), "") }, ...ofVaults];
}

/** The hints of the table speak to whoever has typed a command at a device. */
function inWords(error: AppError, name: string): Words {
  const shown = outward(error);
  const { message = shown.message, mend = shown.hint } = ON_THE_SERVER[error.code]?.(name) ?? SEE_LOG;
  return { code: error.code, message, mend };
}

type OwnWords = { readonly message?: string; readonly mend?: string };

const SEE_LOG: OwnWords = {
  mend: "`cyberbackup logs` on the server's machine says why, and `cyberbackup doctor` there what to do.",
};

const ON_THE_SERVER: Readonly<Partial<Record<ErrorCode, (name: string) => OwnWords>>> = {
  vault_not_found: () => ({
    message: "There is no vault in its folder.",
    mend: "See that the disk of the server's data folder is mounted and the folder is where it was, then restart the server.",
  }),
  vault_busy: () => ({ mend: "Wait until that is done; devices try again by themselves." }),
  index_corrupt: (name) => ({
    message: "The vault's index is damaged or missing.",
    mend: `\`cyberbackup server run rebuild --name ${name}\` makes it anew from the packs and the log.`,
  }),
  index_refused: () => ({}),
  server_full: () => ({}),
};
