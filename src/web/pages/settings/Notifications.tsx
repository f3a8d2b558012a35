// Channels by which somebody is told of alerts, and what was sent by them.

import { Badge, Button, Switch, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBell, IconPlus } from "@tabler/icons-react";
import { type ChannelAnswer, NOTIFY_ROUTES } from "../../../wire/v4/api/notify-routes.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { formatCount } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { PlainList, PlainRow } from "../../parts/PlainList.tsx";
import { EmptyNote, QueryStates } from "../../parts/QueryStates.tsx";
import { RemoveButton } from "../../parts/RemoveButton.tsx";
import { Time } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { NOTIFY } from "../../strings/notifications.ts";
import { SETTINGS } from "../../strings/settings.ts";
import { SHELL } from "../../strings/shell.ts";
import { NewChannel } from "./NewChannel.tsx";

const REFRESHES = [NOTIFY_ROUTES.notificationChannels, NOTIFY_ROUTES.notificationDeliveries];
const SHOWN = 20;

export function Notifications() {
  const query = useApi(NOTIFY_ROUTES.notificationChannels);
  const [isAdding, adding] = useDisclosure(false);
  const add = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={adding.open}>
      {NOTIFY.add}
    </Button>
  );
  return (
    <>
      <Card title={SETTINGS.sections.notifications} text={NOTIFY.text} actions={add}>
        <QueryStates
          query={query}
          isEmpty={({ channels }) => channels.length === 0}
          empty={<EmptyNote isInCard icon={IconBell} title={NOTIFY.none} text={NOTIFY.noneText} />}
        >
          {({ channels }) => (
            <PlainList>
              {channels.map((channel) => (
                <Channel key={channel.id} channel={channel} />
              ))}
            </PlainList>
          )}
        </QueryStates>
      </Card>
      <Deliveries />
      <Dialogue opened={isAdding} onClose={adding.close} title={NOTIFY.add}>
        <NewChannel hasMail={query.data?.mailIsSetUp ?? false} refreshes={REFRESHES} onDone={adding.close} />
      </Dialogue>
    </>
  );
}

function Channel({ channel }: { readonly channel: ChannelAnswer }) {
  const { id, name, kind, target, isEnabled, lastSentAt, lastError, waiting, severity } = channel;
  const params = { id };
  const edit = useAction(NOTIFY_ROUTES.editNotificationChannel, { refreshes: REFRESHES });
  const test = useAction(NOTIFY_ROUTES.testNotificationChannel, {
    refreshes: REFRESHES,
    onDone: () => toastDone(NOTIFY.tested),
  });
  const drop = useAction(NOTIFY_ROUTES.dropNotificationChannel, {
    refreshes: REFRESHES,
    onDone: () => toastDone(NOTIFY.removed),
  });
  return (
    <PlainRow
      title={name}
      badges={
        <>
          <Badge size="sm" variant="light" tt="none">
            {NOTIFY.kinds[kind]}
          </Badge>
          <Badge size="sm" variant="light" tt="none" color={severity === "danger" ? "red" : "orange"}>
            {NOTIFY.severities[severity]}
          </Badge>
          {waiting > 0 && (
            <Badge size="sm" variant="light" tt="none" color="gray">
              {NOTIFY.waiting(formatCount(waiting))}
            </Badge>
          )}
        </>
      }
      detail={
        <>
          {target} · {NOTIFY.lastSent}: {lastSentAt === null ? NOTIFY.never : <Time at={lastSentAt} />}
        </>
      }
      actions={
        <>
          <Switch
            checked={isEnabled}
            label={isEnabled ? NOTIFY.isOn : NOTIFY.isOff}
            aria-label={`${NOTIFY.on}: ${name}`}
            onChange={({ currentTarget }) => edit.mutate({ params, body: { isEnabled: currentTarget.checked } })}
          />
          <Button size="xs" variant="default" loading={test.isPending} onClick={() => test.mutate({ params })}>
            {NOTIFY.test}
          </Button>
          <RemoveButton
            of={name}
            title={NOTIFY.removeTitle}
            text={NOTIFY.removeText(name)}
            action={SHELL.remove}
            onConfirm={() => drop.mutate({ params })}
          />
        </>
      }
    >
      {lastError !== null && (
        <Text size="xs" c="var(--cb-bad)">
          {NOTIFY.lastFailed}: {lastError}
        </Text>
      )}
    </PlainRow>
  );
}

function Deliveries() {
  const query = useApi(NOTIFY_ROUTES.notificationDeliveries);
  return (
    <Card title={NOTIFY.deliveries} isFlush>
      <QueryStates
        query={query}
        isEmpty={({ deliveries }) => deliveries.length === 0}
        empty={
          <Text size="sm" c="dimmed" px="lg" pb="lg">
            {NOTIFY.noDeliveries}
          </Text>
        }
      >
        {({ deliveries }) => (
          <Table.ScrollContainer minWidth={480}>
            <Table verticalSpacing="xs" horizontalSpacing="lg">
              <Table.Tbody>
                {deliveries.slice(0, SHOWN).map(({ id, subject, state, at, error }) => (
                  <Table.Tr key={id}>
                    <Table.Td>
                      {subject}
                      {error !== null && (
                        <Text size="xs" c="dimmed">
                          {error}
                        </Text>
                      )}
                    </Table.Td>
                    <Table.Td>
                      <Badge
                        variant="light"
                        tt="none"
                        color={state === "sent" ? "green" : state === "waiting" ? "gray" : "red"}
                      >
                        {NOTIFY.states[state]}
                      </Badge>
                    </Table.Td>
                    <Table.Td>
                      <Time at={at} />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </QueryStates>
    </Card>
  );
}
