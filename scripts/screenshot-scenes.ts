// What pages look like once somebody has done something on them: pictures that an address alone does not lead to.
import type { Page } from "playwright-core";
import { gatewayView } from "../src/cli/gateway-view.ts";
import type { VaultId } from "../src/core/ids.ts";
import { Peer, startRig } from "../tests/v3/peer.ts";
import type { Furnished } from "../tests/web/furnished.ts";
import { PASSWORD } from "../tests/web/rig.ts";
import { addVirtualAuthenticator } from "../tests/web/virtual-authenticator.ts";

export type Scene = {
  readonly name: string;
  readonly path: string;
  readonly isUnlocked?: true;
  act(page: Page, furnished: Furnished): Promise<void>;
};

/** Of the device that backed up last. */
const FILE = "page.css";

export const SCENES: readonly Scene[] = [
  {
    name: "files-preview",
    path: "/files",
    isUnlocked: true,
    async act(page) {
      await page.getByRole("searchbox").fill(FILE);
      await page.getByTitle(FILE, { exact: true }).first().click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "files-compare",
    path: "/files",
    isUnlocked: true,
    async act(page) {
      await page.getByRole("button", { name: "Compare…" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "files-compared",
    path: "/files",
    isUnlocked: true,
    async act(page) {
      await page.getByRole("button", { name: "Compare…" }).click();
      await page.getByRole("button", { name: "Compare", exact: true }).click();
      await page.getByText(/\d+ added/).waitFor();
    },
  },
  {
    name: "device-sharing",
    path: "/devices/$vault/$device",
    async act(page) {
      await page.getByRole("button", { name: "More" }).click();
      await page.getByRole("menuitem", { name: "Shared pieces…" }).click();
      await page.getByRole("dialog").getByRole("radio", { name: "The devices of a group only" }).check();
    },
  },
  {
    name: "vault-keys-test",
    path: "/vaults/$vault/keys",
    async act(page) {
      await page.getByRole("button", { name: "Test a key" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "settings-passkey",
    path: "/settings/security",
    async act(page) {
      await addVirtualAuthenticator(page);
      await page.getByRole("button", { name: "Add a passkey" }).click();
      await page.getByRole("textbox", { name: "Your password" }).fill(PASSWORD);
      await page.getByRole("button", { name: "Make the passkey" }).click();
      await page
        .getByRole("button", { name: /^Rename: / })
        .first()
        .waitFor();
    },
  },
  {
    name: "settings-passkey-new",
    path: "/settings/security",
    async act(page) {
      await page.getByRole("button", { name: "Add a passkey" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "settings-last-day",
    path: "/settings/legacy",
    async act(page) {
      await page
        .getByRole("button", { name: /^Last day: / })
        .first()
        .click();
      await page.getByRole("dialog").waitFor();
    },
  },
  {
    name: "recovery-kit",
    path: "/welcome",
    async act(page, { passphrase }) {
      await page.getByLabel("What to call it").fill("photos");
      await page.getByRole("textbox", { name: "Passphrase", exact: true }).fill(passphrase);
      await page.getByRole("textbox", { name: "Passphrase again" }).fill(passphrase);
      await page.getByRole("button", { name: "Make the keys" }).click();
      await page.getByRole("list", { name: "Recovery key" }).waitFor({ timeout: 120_000 });
    },
  },
];

/** A gateway with two clients beside the server, until `stop`. */
export async function gatewayBeside({ site, vaultId }: Furnished): Promise<{ stop(): Promise<void> }> {
  const old = await startRig();
  const peer = await Peer.connect(old.gateway.address.port);
  for (const name of ["front desk", "till 2"]) {
    await peer.enter(name);
    await peer.upload("ledger.txt", new Uint8Array(5000));
  }
  peer.destroy();
  const { clients } = old.gateway;
  clients.retire("till 2", Date.now() + 40 * 86_400_000);
  const options = { allowNetwork: ["192.0.2.0/24"] };
  site.server.kit.gateway.view = gatewayView(old.gateway, options, vaultId as VaultId);
  return {
    async stop() {
      site.server.kit.gateway.view = undefined;
      await old.stop();
    },
  };
}
