// A site with a vault in it that the real command line made: what tests of pages start from that read what devices have backed up.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cliResult, newPlace, PASSPHRASE, type Place } from "../cli/run-cli.ts";
import { OWNER, PASSWORD, type Site, startSite, type Tab } from "./rig.ts";

export { PASSPHRASE };

export type VaultSite = {
  readonly site: Site;
  readonly place: Place;
  readonly recoveryKey: string;
  /** Backs up folders as one plan. */
  backup(...folders: string[]): Promise<void>;
  /** A tab of the owner at the page Files. */
  files(options?: Parameters<Site["open"]>[0]): Promise<Tab>;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function startVaultSite(options: Parameters<typeof startSite>[0] = {}): Promise<VaultSite> {
  const site = await startSite({
    ...options,
    settings: { listen: { host: "127.0.0.1", port: 0 }, ...options.settings },
  });
  const folder = newPlace();
  const origin = `https://127.0.0.1:${site.server.port}`;
  const place: Place = { ...folder, vault: `${origin}/home` };
  const passwordFile = join(folder.folder, "password.txt");
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  const pin = site.server.kit.identity().pin!;
  await cliResult(place, "login", [
    ...[origin, "--server-pin", pin, "--email", OWNER, "--password-file", passwordFile],
  ]);
  const { recoveryKey } = await cliResult(place, "init", ["--device-name", "ann-laptop"]);
  return {
    site,
    place,
    recoveryKey,
    backup: async (...folders) => void (await cliResult(place, "backup", folders)),
    files: (opened = {}) => site.open({ path: "/files", as: { email: OWNER }, ...opened }),
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      folder.remove();
    },
  };
}
