// The snapshots of a vault as the server lists them: pins, locks, trash. Their names are sealed; the page Files opens them.

import {
  ActionIcon,
  Anchor,
  Badge,
  Button,
  Group,
  Menu,
  SegmentedControl,
  Stack,
  Table,
  Text,
  TextInput,
} from "@mantine/core";
import { IconArrowBackUp, IconDots, IconLock, IconPhoto, IconPin, IconPinnedOff } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { SnapshotId } from "../../../core/ids.ts";
import { DEVICE_ROUTES } from "../../../wire/v4/api/device-routes.ts";
import { JOB_ROUTES } from "../../../wire/v4/api/job-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { formatBytes, formatDay } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { confirm } from "../../parts/confirm.tsx";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { EmptyNote, QueryStates } from "../../parts/QueryStates.tsx";
import { RemoveItem } from "../../parts/RemoveButton.tsx";
import { Time, useNow } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { SNAPSHOTS, VAULTS } from "../../strings/vaults.ts";
import type { SectionProps } from "./detail.tsx";
import { SignerNote } from "./SignerNote.tsx";
import { useDeviceHere, useSigned } from "./use-signer.ts";

type Which = "all" | "live" | "trash";

const SHOWN = 200;

export function Snapshots({ vault }: SectionProps) {
  const { may } = useRights();
  const query = useApi(DEVICE_ROUTES.snapshots, { params: { vault } });
  const devices = useApi(VAULT_ROUTES.deviceList, { params: { vault } });
  const settings = useApi(JOB_ROUTES.vaultSettings, { params: { vault } });
  const { data: device } = useDeviceHere(vault);
  const [which, setWhich] = useState<Which>("all");
  const [shown, setShown] = useState(SHOWN);
  const [locking, setLocking] = useState<SnapshotId | undefined>();
  const now = useNow();
  const done = useSigned(device, (type) => {
    if (type in SNAPSHOTS.done) toastDone(SNAPSHOTS.done[type as keyof typeof SNAPSHOTS.done]);
  });
  const empty = useAction(JOB_ROUTES.startJob, {
    refreshes: [JOB_ROUTES.jobs, DEVICE_ROUTES.snapshots],
    onDone: () => toastDone(SNAPSHOTS.emptied),
  });
  const nameOf = (id: string): string =>
    devices.data?.devices.find((each) => each.device === id)?.name ?? id.slice(0, 8);
  const mayChange = may("operator", vault);
  return (
    <Stack gap="lg">
      {mayChange && <SignerNote vault={vault} />}
      <Card
        title={VAULTS.tabs.snapshots}
        text={SNAPSHOTS.text}
        isFlush
        actions={
          <Group>
            <SegmentedControl
              size="xs"
              aria-label={SNAPSHOTS.show}
              value={which}
              onChange={(value) => setWhich(value as Which)}
              data={[
                { value: "all", label: SNAPSHOTS.all },
                { value: "live", label: SNAPSHOTS.liveOnly },
                { value: "trash", label: SNAPSHOTS.trashOnly },
              ]}
            />
            {mayChange && which === "trash" && (
              <Button
                size="xs"
                color="red.8"
                variant="light"
                onClick={() =>
                  confirm({
                    title: SNAPSHOTS.emptyTrash,
                    text: SNAPSHOTS.emptyTrashText,
                    action: SNAPSHOTS.emptyTrash,
                    onConfirm: () => empty.mutate({ body: { kind: "trash", vault } }),
                  })
                }
              >
                {SNAPSHOTS.emptyTrash}
              </Button>
            )}
          </Group>
        }
      >
        <QueryStates
          query={query}
          isEmpty={({ snapshots }) => snapshots.length === 0}
          empty={<EmptyNote isInCard icon={IconPhoto} title={SNAPSHOTS.none} text={SNAPSHOTS.noneText} />}
        >
          {({ snapshots }) => {
            const rows = snapshots
              .filter(({ state }) => which === "all" || state === which)
              .sort((a, b) => b.receivedAt - a.receivedAt);
            return (
              <>
                <Table.ScrollContainer minWidth={300}>
                  <Table verticalSpacing="xs" horizontalSpacing="lg" highlightOnHover>
                    <Table.Thead>
                      <Table.Tr>
                        <Table.Th>{SNAPSHOTS.received}</Table.Th>
                        <Table.Th>{SNAPSHOTS.device}</Table.Th>
                        <Table.Th visibleFrom="sm">{SNAPSHOTS.added}</Table.Th>
                        <Table.Th>{SNAPSHOTS.state}</Table.Th>
                        <Table.Th aria-label={SNAPSHOTS.actions} />
                      </Table.Tr>
                    </Table.Thead>
                    <Table.Tbody>
                      {rows.slice(0, shown).map((row) => {
                        const id = row.id as SnapshotId;
                        const isLocked = (row.pinnedUntil ?? 0) > now;
                        const isPinned = row.pinnedUntil === 0 || isLocked;
                        return (
                          <Table.Tr key={id}>
                            <Table.Td>
                              {row.state === "live" ? (
                                <Anchor
                                  component={Link}
                                  to={`/files/${vault}`}
                                  search={{ snapshot: id } as never}
                                  size="sm"
                                  title={SNAPSHOTS.browse}
                                >
                                  <Time at={row.receivedAt} />
                                </Anchor>
                              ) : (
                                <Time at={row.receivedAt} />
                              )}
                              <Text size="xs" c="dimmed" ff="monospace">
                                {id.slice(0, 12)}
                              </Text>
                            </Table.Td>
                            <Table.Td>
                              {nameOf(row.device)}
                              <Text size="xs" c="dimmed" hiddenFrom="sm">
                                {formatBytes(row.addedBytes)}
                              </Text>
                            </Table.Td>
                            <Table.Td visibleFrom="sm">{formatBytes(row.addedBytes)}</Table.Td>
                            <Table.Td>
                              <Group gap={6}>
                                <Badge variant="light" tt="none" color={row.state === "live" ? "green" : "gray"}>
                                  {row.state === "live" ? SNAPSHOTS.live : SNAPSHOTS.inTrash}
                                </Badge>
                                {isPinned && (
                                  <Badge variant="light" tt="none">
                                    {isLocked
                                      ? `${SNAPSHOTS.lockedUntil} ${formatDay(row.pinnedUntil!)}`
                                      : SNAPSHOTS.pinned}
                                  </Badge>
                                )}
                              </Group>
                            </Table.Td>
                            <Table.Td ta="right">
                              {mayChange && device && (
                                <RowMenu
                                  label={`${SNAPSHOTS.actions}: ${id.slice(0, 12)}`}
                                  isInTrash={row.state === "trash"}
                                  isPinned={isPinned}
                                  isLocked={isLocked}
                                  onPin={() => done.mutate({ type: "pin", body: { snapshot: id, until: 0 } })}
                                  onLock={() => setLocking(id)}
                                  onUnpin={() => done.mutate({ type: "unpin", body: { snapshot: id } })}
                                  onUndelete={() => done.mutate({ type: "undelete", body: { snapshot: id } })}
                                  trashDays={settings.data?.trashDays ?? 0}
                                  onRemove={() => done.mutate({ type: "remove", body: { snapshot: id } })}
                                />
                              )}
                            </Table.Td>
                          </Table.Tr>
                        );
                      })}
                    </Table.Tbody>
                  </Table>
                </Table.ScrollContainer>
                {rows.length > shown && (
                  <Group justify="center" pb="lg">
                    <Button variant="default" onClick={() => setShown(shown + SHOWN)}>
                      {SNAPSHOTS.show} {Math.min(SHOWN, rows.length - shown)}
                    </Button>
                  </Group>
                )}
              </>
            );
          }}
        </QueryStates>
      </Card>
      <Dialogue opened={locking !== undefined} onClose={() => setLocking(undefined)} title={SNAPSHOTS.lockTitle}>
        <LockForm
          onLock={(until) => {
            if (locking !== undefined) done.mutate({ type: "pin", body: { snapshot: locking, until } });
            setLocking(undefined);
          }}
        />
      </Dialogue>
    </Stack>
  );
}

function LockForm({ onLock }: { readonly onLock: (until: number) => void }) {
  const [day, setDay] = useState("");
  const until = day === "" ? Number.NaN : new Date(`${day}T23:59:59`).getTime();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onLock(until);
      }}
    >
      <Stack>
        <Text size="sm">{SNAPSHOTS.lockText}</Text>
        <TextInput
          type="date"
          label={SNAPSHOTS.lockDate}
          value={day}
          onChange={({ currentTarget }) => setDay(currentTarget.value)}
          required
        />
        <Button type="submit" disabled={!(until > Date.now())}>
          {SNAPSHOTS.lock}
        </Button>
      </Stack>
    </form>
  );
}

function RowMenu(props: {
  readonly label: string;
  readonly isInTrash: boolean;
  readonly isPinned: boolean;
  readonly isLocked: boolean;
  readonly onPin: () => void;
  readonly onLock: () => void;
  readonly onUnpin: () => void;
  readonly onUndelete: () => void;
  readonly trashDays: number;
  readonly onRemove: () => void;
}) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={props.label}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {props.isInTrash ? (
          <Menu.Item leftSection={<IconArrowBackUp size={18} aria-hidden />} onClick={props.onUndelete}>
            {SNAPSHOTS.undelete}
          </Menu.Item>
        ) : (
          <>
            {!props.isPinned && (
              <Menu.Item leftSection={<IconPin size={18} aria-hidden />} onClick={props.onPin}>
                {SNAPSHOTS.pin}
              </Menu.Item>
            )}
            <Menu.Item leftSection={<IconLock size={18} aria-hidden />} onClick={props.onLock}>
              {SNAPSHOTS.lock}
            </Menu.Item>
            {props.isPinned && !props.isLocked && (
              <Menu.Item leftSection={<IconPinnedOff size={18} aria-hidden />} onClick={props.onUnpin}>
                {SNAPSHOTS.unpin}
              </Menu.Item>
            )}
            {!props.isPinned && (
              <RemoveItem
                title={SNAPSHOTS.removeTitle}
                text={SNAPSHOTS.removeText(props.trashDays)}
                action={SNAPSHOTS.remove}
                isHarmless
                onConfirm={props.onRemove}
              />
            )}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
