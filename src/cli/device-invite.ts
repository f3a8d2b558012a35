// What `device` does only at a server: invite further machines, and the names that are shown for them.

import { vaultAddressText } from "../client/vault-address.ts";
import { AppError } from "../core/errors.ts";
import type { VaultId } from "../core/ids.ts";
import { invite } from "../engine/enrol/invite.ts";
import { VAULT_ROUTES } from "../wire/v4/api/vault-routes.ts";
import type { InviteOptions } from "./commands/device.ts";
import type { Context } from "./context.ts";
import { findDevice } from "./find-device.ts";
import { formatTime, isoTime } from "./format-time.ts";
import { type OpenedVault, withVault } from "./open-vault.ts";
import type { ServerAccess } from "./server-access.ts";
import { shownText } from "./shown-path.ts";

/** The writer secrets come from this machine's enrolment, or from the vault that a person unlocks. */
export async function runInvite(context: Context, { name, hours, qr = false }: InviteOptions): Promise<undefined> {
  const { output, host } = context;
  await withVault(context, async (opened) => {
    const { vault, home, place } = opened;
    const { people, pin } = requireServer(opened);
    const writer = (await home.device(vault.vaultId))?.writer ?? (await opened.secrets()).writer;
    const address = vaultAddressText(place);
    const { code, id, endsAt } = await invite({
      api: people,
      vault: vault.vaultId,
      ...{ writer, address, pin, name, hours },
      random: host.random,
    });
    if (qr && !output.isJson) {
      const { renderUnicodeCompact } = await import("uqr");
      output.print(renderUnicodeCompact(code));
    }
    output.print(code);
    output.say(`On the new machine: cyberbackup enroll CODE. The code is good once, until ${formatTime(endsAt)}.`);
    output.say("Whoever has it can add backups to the vault, and read nothing: hand it over with care.");
    output.json({ type: "result", command: "device invite", code, invite: id, address, endsAt: isoTime(endsAt) });
  });
}

export async function runRename(context: Context, which: string, name: string | undefined): Promise<undefined> {
  const { output } = context;
  await withVault(context, async (opened) => {
    const { vault } = opened;
    const { people } = requireServer(opened);
    const { device, name: ownName } = findDevice(await vault.devices(), which);
    await people.call(VAULT_ROUTES.renameDevice, {
      params: { vault: vault.vaultId, device },
      body: { name: name ?? null },
    });
    const shown = name ?? ownName;
    output.say(`${device.slice(0, 12)} is shown as ${shownText(shown)}.`);
    output.json({ type: "result", command: "device rename", id: device, name: shown });
  });
}

/** Names by device, as people call them at the server. */
export async function shownNames({ people }: ServerAccess, vault: VaultId): Promise<Map<string, string>> {
  const { devices } = await people.call(VAULT_ROUTES.deviceList, { params: { vault } });
  return new Map(devices.map(({ device, name }) => [device, name]));
}

function requireServer({ server }: OpenedVault): ServerAccess {
  if (server) return server;
  throw new AppError("unsupported", {
    context: {
      what: "This",
      detail: "It is for vaults on a server; in a folder, `device add` and `writer export` enrol machines.",
    },
  });
}
