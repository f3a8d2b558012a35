// With which devices of its vault one shares what is stored: all, those of a group, or none. What it costs stands beside it.

import { Badge, Button, Group, Radio, Stack, Text, TextInput, Tooltip } from "@mantine/core";
import { IconUserShield } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { type DeviceState, OVERVIEW_ROUTES } from "../../../wire/v4/api/overview-routes.ts";
import type { TrustGroup } from "../../../wire/v4/log-entry.ts";
import { useApi } from "../../api/use-api.ts";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { TRUST } from "../../strings/devices.ts";
import { SHELL } from "../../strings/shell.ts";
import runs from "../runs/runs.module.css";
import { SignerNote } from "../vaults/SignerNote.tsx";
import { useDeviceHere, useSigned } from "../vaults/use-signer.ts";

/** As many as fit the log's 255 bytes in any script. */
const NAME_MAX = 80;

type Choice = "all" | "group" | "apart";

/** Nothing for a device that shares with all, as devices do. */
export function TrustBadge({ group }: { readonly group: TrustGroup }) {
  if (group === "") return null;
  return (
    <Tooltip label={TRUST.badgeHelp} multiline maw={280}>
      <Badge
        color="gray"
        variant="light"
        radius="sm"
        maw={180}
        className={runs.badge}
        leftSection={<IconUserShield size={14} aria-hidden />}
      >
        {trustWords(group)}
      </Badge>
    </Tooltip>
  );
}

export function trustWords(group: TrustGroup): string {
  if (group === null) return TRUST.apart;
  return group === "" ? TRUST.all : TRUST.group(group);
}

export function TrustDialogue({
  item,
  vaultName,
  isOpen,
  onClose,
}: {
  readonly item: DeviceState;
  readonly vaultName: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}) {
  return (
    <Dialogue opened={isOpen} onClose={onClose} title={TRUST.title(item.name)} size="lg">
      <TrustForm item={item} vaultName={vaultName} onClose={onClose} />
    </Dialogue>
  );
}

/** Signed by the device that this browser is, so that a server cannot make it up. */
function TrustForm({
  item: { vault, device, group: before },
  vaultName,
  onClose,
}: {
  readonly item: DeviceState;
  readonly vaultName: string;
  readonly onClose: () => void;
}) {
  const here = useDeviceHere(vault).data;
  const { data } = useApi(OVERVIEW_ROUTES.deviceStates, { query: {} });
  const [choice, setChoice] = useState<Choice>(before === null ? "apart" : before === "" ? "all" : "group");
  const [name, setName] = useState(before ?? "");
  const groups = new Set(data?.items.flatMap((item) => (item.vault === vault && item.group ? [item.group] : [])));
  const signed = useSigned(here, () => {
    toastDone(TRUST.done);
    onClose();
  });
  const wanted: TrustGroup = choice === "apart" ? null : choice === "all" ? "" : name.trim();
  const isNamed = choice !== "group" || wanted !== "";
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    signed.mutate({ type: "device-trust", body: { device, group: wanted } });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">{TRUST.protects}</Text>
        <Text size="sm">{TRUST.costs}</Text>
        <Radio.Group label={TRUST.label} value={choice} onChange={(value) => setChoice(value as Choice)}>
          <Stack gap="xs" mt="xs">
            <Radio value="all" label={TRUST.withAll} />
            <Radio value="group" label={TRUST.withGroup} />
            <Radio value="apart" label={TRUST.withNone} />
          </Stack>
        </Radio.Group>
        {choice === "group" && (
          <TextInput
            label={TRUST.name}
            description={groups.size === 0 ? TRUST.nameHelp : TRUST.known([...groups].sort().join(", "))}
            value={name}
            onChange={({ currentTarget: { value } }) => setName(value)}
            maxLength={NAME_MAX}
            required
          />
        )}
        <SignerNote vault={vault} />
        {here && (
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {SHELL.cancel}
            </Button>
            <Button type="submit" disabled={!isNamed || wanted === before} loading={signed.isPending}>
              {SHELL.save}
            </Button>
          </Group>
        )}
        <Text size="sm" c="dimmed">
          {TRUST.elsewhere}
        </Text>
        <CopyLine value={TRUST.command(`${location.origin}/${vaultName}`, device, flagOf(choice))} />
      </Stack>
    </form>
  );
}

function flagOf(choice: Choice): string {
  return { all: "--together", group: "--group NAME", apart: "--apart" }[choice];
}
