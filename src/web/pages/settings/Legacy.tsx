// Clients of CyberBackup 3: who uploads through the gateway of this server, how it is narrowed, until when; without one, how they are let in.

import { ActionIcon, Alert, Badge, Button, Group, List, Menu, Stack, Text, TextInput } from "@mantine/core";
import { IconAlertTriangle, IconCalendarOff, IconDots, IconKeyOff, IconUsers } from "@tabler/icons-react";
import { useState } from "react";
import { GATEWAY_ROUTES, type GatewayClient, type GatewayState } from "../../../wire/v4/api/gateway-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { formatCount, formatDay } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { Facts } from "../../parts/Facts.tsx";
import { FormEnd } from "../../parts/FormEnd.tsx";
import { PlainList, PlainRow } from "../../parts/PlainList.tsx";
import { EmptyNote, QueryStates } from "../../parts/QueryStates.tsx";
import { RemoveItem } from "../../parts/RemoveButton.tsx";
import { Time } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { LEGACY, SETTINGS } from "../../strings/settings.ts";

const COMMANDS = [
  [LEGACY.start, "cyberbackup serve --gateway --allow-network"],
  [LEGACY.take, "cyberbackup gateway import"],
  [LEGACY.move, "cyberbackup v3 import --help"],
] as const;
const REFRESHES = [GATEWAY_ROUTES.gateway];
const LOOK_AGAIN_MS = 30_000;

export function Legacy() {
  const query = useApi(GATEWAY_ROUTES.gateway, {}, { refetchInterval: LOOK_AGAIN_MS });
  return (
    <>
      <QueryStates query={query}>{({ gateway }) => gateway !== null && <Running gateway={gateway} />}</QueryStates>
      <Card
        title={query.data?.gateway ? LEGACY.moving : SETTINGS.sections.legacy}
        text={query.data?.gateway ? undefined : LEGACY.text}
      >
        <Stack>
          {COMMANDS.filter(([label]) => label !== LEGACY.start || !query.data?.gateway).map(([label, command]) => (
            <div key={command}>
              <Text size="sm" fw={500} mb={4}>
                {label}
              </Text>
              <CopyLine value={command} label={label} />
            </div>
          ))}
          <Text size="sm" c="dimmed">
            {LEGACY.more}
          </Text>
        </Stack>
      </Card>
    </>
  );
}

function Running({ gateway }: { readonly gateway: GatewayState }) {
  const { may } = useRights();
  const vaults = useApi(VAULT_ROUTES.vaults).data?.vaults ?? [];
  const [retired, setRetired] = useState<GatewayClient | undefined>();
  const { clients, names, networks } = gateway;
  const facts: readonly (readonly [string, string])[] = [
    [LEGACY.address, gateway.address],
    [LEGACY.vault, vaults.find(({ id }) => id === gateway.vault)?.name ?? gateway.vault.slice(0, 8)],
    [LEGACY.names, names?.join(", ") ?? LEGACY.everybody],
    [LEGACY.networks, networks?.join(", ") ?? (gateway.isLoopback ? LEGACY.thisMachine : LEGACY.everywhere)],
    [LEGACY.connections, formatCount(gateway.connections)],
    [LEGACY.stored, formatCount(gateway.stored)],
    [LEGACY.refused, formatCount(gateway.refused)],
  ];
  return (
    <>
      <Alert color="orange" variant="light" icon={<IconAlertTriangle aria-hidden />} title={LEGACY.weak}>
        <List size="sm" spacing={4}>
          {weaknesses(gateway).map((words) => (
            <List.Item key={words}>{words}</List.Item>
          ))}
        </List>
      </Alert>
      <Card title={LEGACY.gateway} text={LEGACY.text}>
        <Facts rows={facts} />
      </Card>
      <Card title={LEGACY.clients} text={LEGACY.clientsText}>
        {clients.length === 0 ? (
          <EmptyNote isInCard icon={IconUsers} title={LEGACY.none} text={LEGACY.noneText} />
        ) : (
          <PlainList>
            {clients.map((client) => (
              <Client key={client.id} client={client} isOwner={may("owner")} onRetire={() => setRetired(client)} />
            ))}
          </PlainList>
        )}
      </Card>
      <Dialogue opened={retired !== undefined} onClose={() => setRetired(undefined)} title={LEGACY.retire}>
        {retired !== undefined && <Retire client={retired} onDone={() => setRetired(undefined)} />}
      </Dialogue>
    </>
  );
}

/** What protocol 3 leaves open always, and what this gateway leaves open beyond that. */
function weaknesses({ isLoopback, names, networks, clients }: GatewayState): string[] {
  const isOpen = !isLoopback && names === null && networks === null;
  const hasNoEnd = clients.some(({ retireAt, fixedRetireAt }) => retireAt === null && fixedRetireAt === null);
  return [
    ...LEGACY.weaknesses,
    ...(isLoopback ? [] : [LEGACY.openToOthers]),
    ...(isOpen ? [LEGACY.openToAll] : []),
    ...(hasNoEnd ? [LEGACY.noEnd] : []),
  ];
}

function Client({
  client,
  isOwner,
  onRetire,
}: {
  readonly client: GatewayClient;
  readonly isOwner: boolean;
  readonly onRetire: () => void;
}) {
  const { id, name, hasKey, lastSeenAt, lastUploadAt, answer } = client;
  const params = { id };
  const endsAt = endOf(client);
  const reset = useAction(GATEWAY_ROUTES.resetGatewayClient, {
    refreshes: REFRESHES,
    onDone: () => toastDone(LEGACY.resetDone),
  });
  const forget = useAction(GATEWAY_ROUTES.forgetGatewayClient, {
    refreshes: REFRESHES,
    onDone: () => toastDone(LEGACY.forgotten),
  });
  return (
    <PlainRow
      title={name}
      badges={
        <>
          {answer !== "allowed" && (
            <Badge size="sm" variant="light" tt="none" color={answer === "retired" ? "gray" : "red"}>
              {LEGACY.answers[answer]}
            </Badge>
          )}
          {!hasKey && (
            <Badge size="sm" variant="light" tt="none" color="orange">
              {LEGACY.noKey}
            </Badge>
          )}
        </>
      }
      detail={
        <>
          {LEGACY.lastUpload} {lastUploadAt === null ? LEGACY.never : <Time at={lastUploadAt} />} · {LEGACY.lastSeen}{" "}
          {lastSeenAt === null ? LEGACY.never : <Time at={lastSeenAt} />}
          {endsAt !== undefined && answer !== "retired" && <> · {LEGACY.until(formatDay(endsAt))}</>}
        </>
      }
      actions={
        isOwner && (
          <Group gap="xs">
            <Button
              size="xs"
              variant="default"
              leftSection={<IconCalendarOff size={16} aria-hidden />}
              aria-label={`${LEGACY.retire}: ${name}`}
              onClick={onRetire}
            >
              {LEGACY.retire}
            </Button>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={30} aria-label={`${SETTINGS.actions}: ${name}`}>
                  <IconDots size={18} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <RemoveItem
                  icon={IconKeyOff}
                  isPlain
                  isDisabled={!hasKey}
                  title={LEGACY.reset}
                  text={LEGACY.resetText(name)}
                  action={LEGACY.reset}
                  onConfirm={() => reset.mutate({ params })}
                />
                <RemoveItem
                  title={LEGACY.forget}
                  text={LEGACY.forgetText(name)}
                  action={LEGACY.forget}
                  onConfirm={() => forget.mutate({ params })}
                />
              </Menu.Dropdown>
            </Menu>
          </Group>
        )
      }
    />
  );
}

function Retire({ client, onDone }: { readonly client: GatewayClient; readonly onDone: () => void }) {
  const { id, name, retireAt, fixedRetireAt } = client;
  const [day, setDay] = useState(retireAt === null ? "" : dayOf(retireAt));
  const retire = useAction(GATEWAY_ROUTES.retireGatewayClient, {
    showsError: true,
    refreshes: REFRESHES,
    onDone() {
      toastDone(LEGACY.retired);
      onDone();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const at = day === "" ? null : new Date(`${day}T00:00:00`).getTime();
        retire.mutate({ params: { id }, body: { retireAt: at } });
      }}
    >
      <Stack>
        <Text size="sm">{LEGACY.retireText(name)}</Text>
        <TextInput
          type="date"
          label={LEGACY.day}
          description={LEGACY.dayHint}
          value={day}
          onChange={({ currentTarget }) => setDay(currentTarget.value)}
          data-autofocus
        />
        {fixedRetireAt !== null && (
          <Text size="sm" c="dimmed">
            {LEGACY.fixed(formatDay(fixedRetireAt))}
          </Text>
        )}
        <FormEnd action={LEGACY.save} work={retire} onCancel={onDone} />
      </Stack>
    </form>
  );
}

function endOf({ retireAt, fixedRetireAt }: GatewayClient): number | undefined {
  if (retireAt === null) return fixedRetireAt ?? undefined;
  return Math.min(retireAt, fixedRetireAt ?? Number.POSITIVE_INFINITY);
}

/** As a field for dates has it: in the reader's own time. */
function dayOf(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
