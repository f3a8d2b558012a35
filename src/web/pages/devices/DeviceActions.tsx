// What people ask of a device, and how they rename it or take its place in the vault away.

import { Alert, Button, Group, Menu, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconCloudUpload,
  IconDots,
  IconEdit,
  IconPlayerPause,
  IconPlayerPlay,
  IconUserOff,
  IconUserShield,
} from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { type DeviceState, OVERVIEW_ROUTES } from "../../../wire/v4/api/overview-routes.ts";
import { type CommandKind, PLAN_ROUTES } from "../../../wire/v4/api/plan-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction } from "../../api/use-api.ts";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { useNow } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { DEVICES, TRUST } from "../../strings/devices.ts";
import { SHELL } from "../../strings/shell.ts";
import { SignerNote } from "../vaults/SignerNote.tsx";
import { useDeviceHere, useSigned } from "../vaults/use-signer.ts";
import { TrustDialogue } from "./Trust.tsx";

const HOUR_MS = 3_600_000;
const MORNING_HOUR = 7;

export function DeviceActions({ item, vaultName }: { readonly item: DeviceState; readonly vaultName: string }) {
  const rights = useRights();
  const now = useNow();
  const [isRenaming, renaming] = useDisclosure(false);
  const [isRevoking, revoking] = useDisclosure(false);
  const [isTrusting, trusting] = useDisclosure(false);
  const ask = useAction(PLAN_ROUTES.command, {
    refreshes: [PLAN_ROUTES.commands],
    onDone: ({ kind }) => toastDone(item.isConnected ? DEVICES.asked[kind] : `${DEVICES.asked[kind]} ${DEVICES.waits}`),
  });
  if (!rights.may("operator", item.vault) || item.revoked) return null;
  const { vault, device } = item;
  const send = (kind: CommandKind, untilMs: number | null = null): void =>
    ask.mutate({ params: { vault, device }, body: { kind, untilMs } });
  const isPaused = item.pausedUntil !== null && item.pausedUntil > now;
  return (
    <Group gap="sm">
      <Button
        leftSection={<IconCloudUpload size={18} aria-hidden />}
        onClick={() => send("backup")}
        loading={ask.isPending && ask.variables?.body.kind === "backup"}
      >
        {DEVICES.backUpNow}
      </Button>
      {isPaused ? (
        <Button variant="default" leftSection={<IconPlayerPlay size={18} aria-hidden />} onClick={() => send("resume")}>
          {DEVICES.resume}
        </Button>
      ) : (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" leftSection={<IconPlayerPause size={18} aria-hidden />}>
              {DEVICES.pause}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => send("pause", Date.now() + HOUR_MS)}>{DEVICES.pauseFor.hour}</Menu.Item>
            <Menu.Item onClick={() => send("pause", nextMorning())}>{DEVICES.pauseFor.morning}</Menu.Item>
            <Menu.Item onClick={() => send("pause", Date.now() + 7 * 24 * HOUR_MS)}>{DEVICES.pauseFor.week}</Menu.Item>
            <Menu.Item onClick={() => send("pause")}>{DEVICES.pauseFor.open}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" aria-label={DEVICES.more} px="sm">
            <IconDots size={18} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPlayerPlay size={16} aria-hidden />} onClick={() => send("resume")}>
            {DEVICES.resume}
          </Menu.Item>
          <Menu.Item leftSection={<IconEdit size={16} aria-hidden />} onClick={renaming.open}>
            {DEVICES.rename}
          </Menu.Item>
          <Menu.Item leftSection={<IconUserShield size={16} aria-hidden />} onClick={trusting.open}>
            {TRUST.menu}
          </Menu.Item>
          <Menu.Item leftSection={<IconUserOff size={16} aria-hidden />} color="red" onClick={revoking.open}>
            {DEVICES.revoke}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Dialogue opened={isRenaming} onClose={renaming.close} title={DEVICES.renameTitle}>
        <Rename item={item} onClose={renaming.close} />
      </Dialogue>
      <TrustDialogue item={item} vaultName={vaultName} isOpen={isTrusting} onClose={trusting.close} />
      <Dialogue opened={isRevoking} onClose={revoking.close} title={DEVICES.revokeTitle(item.name)} size="lg">
        <Revoke item={item} vaultName={vaultName} onClose={revoking.close} />
      </Dialogue>
    </Group>
  );
}

/** Signed by the device that this browser is, so that a server cannot make it up. */
function Revoke({
  item: { vault, device },
  vaultName,
  onClose,
}: {
  readonly item: DeviceState;
  readonly vaultName: string;
  readonly onClose: () => void;
}) {
  const here = useDeviceHere(vault).data;
  const signed = useSigned(here, () => {
    toastDone(DEVICES.revoked);
    onClose();
  });
  const isSelf = here?.device === device;
  return (
    <Stack>
      <Alert color="red" variant="light">
        {isSelf ? DEVICES.revokeSelf : DEVICES.revokeText}
      </Alert>
      <SignerNote vault={vault} />
      {here && !isSelf && (
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {SHELL.cancel}
          </Button>
          <Button
            color="red"
            loading={signed.isPending}
            onClick={() => signed.mutate({ type: "device-revoke", body: { device } })}
          >
            {DEVICES.revoke}
          </Button>
        </Group>
      )}
      <Text size="sm" c="dimmed">
        {DEVICES.revokeElsewhere}
      </Text>
      <CopyLine value={DEVICES.revokeCommand(`${location.origin}/${vaultName}`, device)} />
    </Stack>
  );
}

function Rename({ item, onClose }: { readonly item: DeviceState; readonly onClose: () => void }) {
  const [name, setName] = useState(item.name);
  const rename = useAction(VAULT_ROUTES.renameDevice, {
    refreshes: [OVERVIEW_ROUTES.deviceStates, VAULT_ROUTES.deviceList],
    onDone: onClose,
  });
  const save = (wanted: string | null): void =>
    rename.mutate({ params: { vault: item.vault, device: item.device }, body: { name: wanted } });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save(name.trim());
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label={DEVICES.name}
          description={DEVICES.renameText(item.givenName)}
          value={name}
          onChange={({ currentTarget: { value } }) => setName(value)}
          maxLength={255}
          required
          data-autofocus
        />
        <Group justify="space-between">
          <Button variant="subtle" onClick={() => save(null)}>
            {DEVICES.renameBack}
          </Button>
          <Button type="submit" disabled={name.trim() === ""} loading={rename.isPending}>
            {SHELL.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function nextMorning(): number {
  const morning = new Date();
  morning.setDate(morning.getDate() + 1);
  morning.setHours(MORNING_HOUR, 0, 0, 0);
  return morning.getTime();
}
