// How a device is added: an enrolment code, made in this tab by whoever can unlock the vault, because it carries keys that the server must never
// see; or by a command on a computer that has them.

import { Accordion, Alert, Anchor, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { fromHex } from "../../../core/bytes.ts";
import { INVITE_ROUTES } from "../../../wire/v4/api/invite-routes.ts";
import { PAGE_ROUTES } from "../../../wire/v4/api/page-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { refresh, useApi } from "../../api/use-api.ts";
import { formatTime } from "../../format/numbers.ts";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { deviceAddress } from "../../parts/device-address.ts";
import { DEVICES } from "../../strings/devices.ts";
import { OVERVIEW } from "../../strings/overview.ts";
import { ReaderForm } from "../../unlock/ReaderForm.tsx";

const HOURS = 24;

type MadeCode = { readonly code: string; readonly endsAt: number };

export function AddDevice({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const rights = useRights();
  const all = useApi(VAULT_ROUTES.vaults).data?.vaults ?? [];
  const vaults = all.filter(({ id }) => rights.may("operator", id));
  const [chosen, setChosen] = useState<string>();
  const [made, setMade] = useState<MadeCode>();
  const vault = vaults.find(({ id }) => id === chosen) ?? vaults[0];
  const close = (): void => {
    setMade(undefined);
    onClose();
  };
  return (
    <Dialogue opened={isOpen} onClose={close} title={DEVICES.addTitle} size="lg">
      {made === undefined ? (
        <Stack>
          {vaults.length > 1 && (
            <NativeSelect
              label={DEVICES.vaultFor}
              value={vault?.id ?? ""}
              data={vaults.map(({ id, name }) => ({ value: id, label: name }))}
              onChange={({ currentTarget: { value } }) => setChosen(value)}
            />
          )}
          {vault === undefined ? (
            <Text size="sm">{DEVICES.noVault}</Text>
          ) : (
            <MakeCode key={vault.id} vault={vault} onMade={setMade} />
          )}
          <OtherWays vault={vault?.name ?? "NAME"} />
        </Stack>
      ) : (
        <Made made={made} />
      )}
    </Dialogue>
  );
}

function MakeCode({
  vault,
  onMade,
}: {
  readonly vault: { readonly id: string; readonly name: string };
  readonly onMade: (made: MadeCode) => void;
}) {
  const client = useQueryClient();
  const reach = useApi(PAGE_ROUTES.reach).data;
  const [name, setName] = useState("");
  return (
    <ReaderForm
      vault={vault.id}
      action={DEVICES.makeCode}
      isReady={name.trim() !== "" && reach !== undefined}
      work={async ({ client: worker }) => {
        if (reach === undefined) return;
        const pin = reach.fingerprint === null ? undefined : fromHex(reach.fingerprint);
        const wish = { name: name.trim(), address: deviceAddress(reach, vault.name), pin, hours: HOURS };
        onMade(await worker.call("invite", wish));
      }}
      onDone={() => void refresh(client, INVITE_ROUTES.invites)}
    >
      <TextInput
        label={DEVICES.newName}
        description={DEVICES.newNameHelp}
        value={name}
        onChange={({ currentTarget: { value } }) => setName(value)}
        maxLength={255}
        required
        data-autofocus
      />
    </ReaderForm>
  );
}

function OtherWays({ vault }: { readonly vault: string }) {
  return (
    <Accordion variant="separated">
      <Accordion.Item value="other">
        <Accordion.Control>{DEVICES.otherWays}</Accordion.Control>
        <Accordion.Panel>
          <Stack>
            <Text size="sm">{DEVICES.addText}</Text>
            <CopyLine value={DEVICES.addCommand(`${location.origin}/${vault}`)} />
            <Text size="sm">
              {DEVICES.addBrowser}{" "}
              <Anchor component={Link} to="/backup">
                {OVERVIEW.backUpHere}
              </Anchor>
            </Text>
          </Stack>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}

function Made({ made: { code, endsAt } }: { readonly made: MadeCode }) {
  return (
    <Stack>
      <Text size="sm">{DEVICES.codeMade(formatTime(endsAt))}</Text>
      <CopyLine value={`cyberbackup enroll ${code}`} label={DEVICES.codeLabel} />
      <Text size="sm">{DEVICES.addKeep}</Text>
      <CopyLine value={DEVICES.agentCommand} />
      <Alert variant="light" color="yellow">
        {DEVICES.codeCare}
      </Alert>
    </Stack>
  );
}
