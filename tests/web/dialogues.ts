// Every dialogue of the page, and how to open those that somebody types into: what a test of all of them goes by. One that is not listed here fails it.

import type { Locator, Page } from "playwright-core";
import type { GatewayState } from "../../src/wire/v4/api/gateway-routes.ts";
import type { Furnished } from "./furnished.ts";
import { PASSWORD } from "./rig.ts";

export type FormDialogue = {
  /** Below src/web. */
  readonly file: string;
  readonly title: string | RegExp;
  readonly path: string;
  open(page: Page): Promise<void>;
  /** A field of it. */
  field(dialogue: Locator): Locator;
  /** What is put there; a letter or a day. */
  readonly text?: string;
};

const menuOf = (button: string | RegExp, item: string) => async (page: Page) => {
  await page.getByRole("button", { name: button }).first().click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
};
const press = (name: string | RegExp) => (page: Page) =>
  page.getByRole("button", { name, exact: true }).first().click();
const labelled = (label: string) => (dialogue: Locator) => dialogue.getByLabel(label).first();
const box = (name: string) => (dialogue: Locator) => dialogue.getByRole("textbox", { name }).first();

const DEVICE = "/devices/$vault/$device";
const KEYS = "/vaults/$vault/keys";
const SECURITY = "/settings/security";

/** For a tab in which the vault is locked, and whose browser is no device. */
export const LOCKED_DIALOGUES: readonly FormDialogue[] = [
  {
    file: "unlock/UnlockNote.tsx",
    title: /^Unlock/,
    path: DEVICE,
    open: press("Unlock"),
    field: box("Passphrase"),
  },
  {
    file: "pages/vaults/SignerNote.tsx",
    title: "Unlock and make this browser a device",
    path: KEYS,
    open: press("Unlock and make this browser a device"),
    field: box("Passphrase"),
  },
];

/** For one whose vault is open, whose browser is a device of it, and which has a passkey to sign in with. */
export const FORM_DIALOGUES: readonly FormDialogue[] = [
  {
    file: "pages/settings/People.tsx",
    title: "Add somebody",
    path: "/settings/people",
    open: press("Add somebody"),
    field: labelled("Name"),
  },
  {
    file: "pages/settings/People.tsx",
    title: /victor/i,
    path: "/settings/people",
    open: menuOf(/^Actions: victor/i, "Change"),
    field: labelled("E-mail"),
  },
  {
    file: "pages/settings/Passkeys.tsx",
    title: "Add a passkey",
    path: SECURITY,
    open: press("Add a passkey"),
    field: box("Your password"),
  },
  {
    file: "pages/settings/Passkeys.tsx",
    title: "Rename",
    path: SECURITY,
    open: press(/^Rename: /),
    field: labelled("What to call it"),
  },
  {
    file: "pages/settings/SecondFactor.tsx",
    title: "Set an authenticator up",
    path: SECURITY,
    open: press("Set an authenticator up"),
    field: box("Your password"),
  },
  {
    file: "pages/settings/Notifications.tsx",
    title: "Add a channel",
    path: "/settings/notifications",
    open: press("Add a channel"),
    field: labelled("Name"),
  },
  {
    file: "pages/settings/ApiKeys.tsx",
    title: "Make a key",
    path: "/settings/keys",
    open: press("Make a key"),
    field: labelled("What is it for?"),
  },
  {
    file: "pages/settings/Legacy.tsx",
    title: "Last day",
    path: "/settings/legacy",
    open: press("Last day: till 2"),
    field: labelled("Refused from"),
    text: "2031-02-03",
  },
  {
    file: "pages/vaults/Snapshots.tsx",
    title: "Lock until a date",
    path: "/vaults/$vault/snapshots",
    open: menuOf(/^Actions/, "Lock until…"),
    field: labelled("Until the end of"),
    text: "2031-02-03",
  },
  {
    file: "pages/vaults/Keys.tsx",
    title: "Does this key still open the vault?",
    path: KEYS,
    open: press("Test a key"),
    field: box("Passphrase"),
  },
  {
    file: "pages/vaults/Keys.tsx",
    title: "Add a passphrase",
    path: KEYS,
    open: press("Add a passphrase"),
    field: box("New passphrase"),
  },
  {
    file: "pages/vaults/Keys.tsx",
    title: "Unlock with a passkey from now on",
    path: KEYS,
    open: press("Add a passkey"),
    field: labelled("What to call it"),
  },
  {
    file: "pages/vaults/Care.tsx",
    title: "Schedule: Free space",
    path: "/vaults/$vault/care",
    open: (page) => page.getByRole("region", { name: "Free space" }).getByRole("button", { name: "Schedule" }).click(),
    field: labelled("When"),
  },
  {
    file: "unlock/LockMenu.tsx",
    title: "Unlock with a passkey from now on",
    path: DEVICE,
    open: menuOf("Lock by itself", "Add a passkey…"),
    field: labelled("What to call it"),
  },
  {
    file: "pages/devices/AddDevice.tsx",
    title: "Add a device",
    path: "/devices",
    open: press("Add a device"),
    field: labelled("Name of the new device"),
  },
  {
    file: "pages/devices/Trust.tsx",
    title: /^With whom/,
    path: DEVICE,
    open: menuOf("More", "Shared pieces…"),
    field: (dialogue) => dialogue.getByRole("radio", { name: "All devices that were not put elsewhere" }),
  },
  {
    file: "pages/devices/DeviceActions.tsx",
    title: "Rename this device",
    path: DEVICE,
    open: menuOf("More", "Rename"),
    field: labelled("Name"),
  },
  {
    file: "pages/backup/DevicePart.tsx",
    title: "Make this browser a device",
    path: "/backup",
    open: press("Another vault"),
    field: labelled("What to call this browser"),
  },
];

/** Those with nothing to lose: nothing is typed, or it is a question whose answer is not kept. A file for each dialogue. */
export const OTHER_DIALOGUES: readonly string[] = [
  "app/Shortcuts.tsx",
  "app/FactorDialogue.tsx",
  "pages/files/RestoreDialogue.tsx",
  "pages/files/CompareDialogue.tsx",
  "pages/settings/People.tsx",
  "pages/vaults/Care.tsx",
  "pages/backup/RunPart.tsx",
  "pages/backup/DevicePart.tsx",
  "pages/runs/RunProgress.tsx",
  "pages/devices/DeviceActions.tsx",
];

/** A gateway that nobody runs, with one client. */
export function addGateway({ site, vaultId }: Furnished): void {
  const state: GatewayState = {
    address: "127.0.0.1:9",
    isLoopback: true,
    vault: vaultId as GatewayState["vault"],
    names: null,
    networks: null,
    connections: 0,
    stored: 1,
    refused: 0,
    clients: [
      {
        id: "till",
        name: "till 2",
        hasKey: true,
        registeredAt: 1,
        lastSeenAt: null,
        lastUploadAt: null,
        retireAt: null,
        fixedRetireAt: null,
        answer: "allowed",
      },
    ],
  };
  const never = (): boolean => false;
  site.server.kit.gateway.view = { state: () => state, retire: never, resetKey: never, forget: never };
}

/** Makes a passkey, opens the vault and makes the browser a device. */
export async function readyForDialogues(
  page: Page,
  furnished: Furnished,
  go: (path: string) => Promise<void>,
): Promise<void> {
  await go(SECURITY);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("textbox", { name: "Your password" }).fill(PASSWORD);
  await page.getByRole("button", { name: "Make the passkey" }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await go(KEYS.replace("$vault", furnished.vaultId));
  await page.getByRole("button", { name: "Unlock and make this browser a device" }).click();
  await page.getByRole("textbox", { name: "Passphrase" }).fill(furnished.passphrase);
  await page.getByRole("dialog").getByRole("button", { name: "Unlock", exact: true }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
}
