// All devices: how each is, when it last backed up and when it will again, how much it stores.

import {
  Anchor,
  Button,
  Checkbox,
  Group,
  NativeSelect,
  Stack,
  Table,
  Text,
  TextInput,
  UnstyledButton,
} from "@mantine/core";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp, IconDeviceLaptop, IconPlus, IconSearch } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type DeviceState, OVERVIEW_ROUTES } from "../../../wire/v4/api/overview-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { useApi } from "../../api/use-api.ts";
import { formatBytes } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { NoVault } from "../../parts/NoVault.tsx";
import { PageFrame } from "../../parts/PageFrame.tsx";
import { EmptyNote, QueryStates } from "../../parts/QueryStates.tsx";
import { Time, useNow } from "../../parts/Time.tsx";
import { DEVICES } from "../../strings/devices.ts";
import { VaultLock } from "../../unlock/LockMenu.tsx";
import { useRunTurns } from "../runs/live-runs.ts";
import { useNames } from "../runs/names.ts";
import runs from "../runs/runs.module.css";
import { AddDevice } from "./AddDevice.tsx";
import classes from "./devices.module.css";
import { Sparkline } from "./Sparkline.tsx";
import { Presence, StateBadge } from "./StateBadge.tsx";
import { TrustBadge } from "./Trust.tsx";
import { nextOf, systemOf } from "./words.ts";

const LOOK_AGAIN_MS = 60_000;
type SortKey = "name" | "state" | "last" | "next" | "size";
const GRAVITY: readonly DeviceState["state"][] = ["danger", "attention", "running", "new", "protected", "revoked"];

export function Page() {
  useRunTurns();
  const rights = useRights();
  const [isAdding, adding] = useDisclosure(false);
  const query = useApi(OVERVIEW_ROUTES.deviceStates, { query: {} }, { refetchInterval: LOOK_AGAIN_MS });
  const vaults = useApi(VAULT_ROUTES.vaults).data?.vaults;
  const hasNoVault = vaults?.length === 0;
  const add = !hasNoVault && rights.maySomewhere("operator") && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={adding.open}>
      {DEVICES.add}
    </Button>
  );
  const actions = (
    <>
      {add}
      <VaultLock />
    </>
  );
  return (
    <PageFrame title={DEVICES.title} lead={DEVICES.lead} actions={actions} isWide>
      <QueryStates
        query={query}
        isEmpty={({ items }) => items.length === 0}
        empty={
          hasNoVault ? (
            <NoVault />
          ) : (
            <EmptyNote
              icon={IconDeviceLaptop}
              title={DEVICES.empty}
              text={add ? DEVICES.emptyText : DEVICES.emptyViewer}
              action={add}
            />
          )
        }
      >
        {({ items }) => <Devices items={items} />}
      </QueryStates>
      <AddDevice isOpen={isAdding} onClose={adding.close} />
    </PageFrame>
  );
}

function Devices({ items }: { readonly items: readonly DeviceState[] }) {
  const [find, setFind] = useState("");
  const [state, setState] = useState("");
  const [hasRevoked, setRevoked] = useState(false);
  const [sort, setSort] = useState<{ by: SortKey; isDown: boolean }>({ by: "name", isDown: false });
  const isNarrow = useMediaQuery("(max-width: 62em)", undefined, { getInitialValueInEffect: false });
  const wanted = find.trim().toLowerCase();
  const shown = items
    .filter(
      (item) =>
        (item.state !== "revoked" || hasRevoked || state === "revoked") && (state === "" || item.state === state),
    )
    .filter(({ name, givenName }) => `${name} ${givenName}`.toLowerCase().includes(wanted))
    .sort((a, b) => (sort.isDown ? -1 : 1) * compare(a, b, sort.by) || a.name.localeCompare(b.name));
  const states = GRAVITY.filter((each) => items.some((item) => item.state === each));
  const revoked = items.some((item) => item.state === "revoked");
  return (
    <Stack gap="lg">
      <Group gap="sm" align="flex-end">
        <TextInput
          aria-label={DEVICES.find}
          placeholder={DEVICES.find}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={find}
          onChange={({ currentTarget: { value } }) => setFind(value)}
          flex="1 1 200px"
          maw={360}
        />
        <NativeSelect
          aria-label={DEVICES.state}
          value={state}
          onChange={({ currentTarget: { value } }) => setState(value)}
          data={[
            { value: "", label: DEVICES.any },
            ...states.map((value) => ({ value, label: DEVICES.states[value] })),
          ]}
        />
        {revoked && (
          <Checkbox
            label={DEVICES.showRevoked}
            checked={hasRevoked}
            onChange={({ currentTarget: { checked } }) => setRevoked(checked)}
            mb={8}
          />
        )}
      </Group>
      {shown.length === 0 ? (
        <EmptyNote icon={IconDeviceLaptop} title={DEVICES.emptyFiltered} text={DEVICES.emptyFilteredText} />
      ) : (
        <Card isFlush>
          {isNarrow ? (
            <div>
              {shown.map((item) => (
                <DeviceCard key={item.vault + item.device} item={item} />
              ))}
            </div>
          ) : (
            <DeviceTable
              items={shown}
              sort={sort}
              onSort={(by) => setSort(({ by: before, isDown }) => ({ by, isDown: by === before && !isDown }))}
            />
          )}
        </Card>
      )}
    </Stack>
  );
}

/** For the longest word of state, however long the names beside it are. */
const STATE_WIDTH = 150;

function DeviceTable({
  items,
  sort,
  onSort,
}: {
  readonly items: readonly DeviceState[];
  readonly sort: { readonly by: SortKey; readonly isDown: boolean };
  onSort(by: SortKey): void;
}) {
  const head = (by: SortKey) => (
    <Table.Th aria-sort={sort.by === by ? (sort.isDown ? "descending" : "ascending") : "none"}>
      <UnstyledButton
        className={classes.sort!}
        onClick={() => onSort(by)}
        aria-label={DEVICES.sortBy(DEVICES.columns[by])}
      >
        {DEVICES.columns[by]}
        {sort.by === by &&
          (sort.isDown ? <IconChevronDown size={14} aria-hidden /> : <IconChevronUp size={14} aria-hidden />)}
      </UnstyledButton>
    </Table.Th>
  );
  return (
    <Table.ScrollContainer minWidth={900}>
      <Table className={runs.table} verticalSpacing="sm" horizontalSpacing="md">
        <Table.Thead>
          <Table.Tr>
            {head("name")}
            {head("state")}
            {head("last")}
            {head("next")}
            {head("size")}
            <Table.Th>{DEVICES.columns.trend}</Table.Th>
            <Table.Th>{DEVICES.columns.system}</Table.Th>
            <Table.Th>{DEVICES.columns.version}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((item) => (
            <Row key={item.vault + item.device} item={item} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Row({ item }: { readonly item: DeviceState }) {
  const now = useNow();
  const names = useNames();
  const navigate = useNavigate();
  const to = `/devices/${item.vault}/${item.device}`;
  return (
    <Table.Tr className={runs.row} onClick={() => void navigate({ to })}>
      <Table.Td>
        <Group gap="sm" wrap="nowrap">
          <Presence isConnected={item.isConnected} />
          <div>
            <Anchor
              component={Link}
              to={to}
              fw={600}
              size="sm"
              c="inherit"
              style={{ overflowWrap: "anywhere" }}
              onClick={(event) => event.stopPropagation()}
            >
              {item.name}
            </Anchor>
            <Text size="xs" c="dimmed">
              {names.vault(item.vault)}
            </Text>
          </div>
        </Group>
      </Table.Td>
      <Table.Td miw={STATE_WIDTH}>
        <Stack gap={4} align="flex-start">
          <StateBadge state={item.state} />
          <TrustBadge group={item.group} />
        </Stack>
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>
        {item.lastSuccessAt === null ? DEVICES.never : <Time at={item.lastSuccessAt} />}
      </Table.Td>
      <Table.Td>{nextOf(item, now)}</Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>{formatBytes(item.storedBytes)}</Table.Td>
      <Table.Td>
        <Sparkline days={item.addedByDay} />
      </Table.Td>
      <Table.Td>{systemOf(item)}</Table.Td>
      <Table.Td>{item.about?.version ?? DEVICES.unknown}</Table.Td>
    </Table.Tr>
  );
}

function DeviceCard({ item }: { readonly item: DeviceState }) {
  const now = useNow();
  return (
    <Link to={`/devices/${item.vault}/${item.device}`} className={runs.card!}>
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Group gap="sm" wrap="nowrap" miw={0}>
          <Presence isConnected={item.isConnected} />
          <Text fw={600} truncate>
            {item.name}
          </Text>
        </Group>
        <StateBadge state={item.state} />
      </Group>
      <Group justify="space-between" mt={8} gap="sm" wrap="nowrap">
        <div>
          <Text size="sm">
            {DEVICES.columns.last}: {item.lastSuccessAt === null ? DEVICES.never : <Time at={item.lastSuccessAt} />}
          </Text>
          <Text size="sm" c="dimmed">
            {DEVICES.columns.next}: {nextOf(item, now)} · {formatBytes(item.storedBytes)}
          </Text>
          <TrustBadge group={item.group} />
        </div>
        <Sparkline days={item.addedByDay} />
      </Group>
    </Link>
  );
}

function compare(a: DeviceState, b: DeviceState, by: SortKey): number {
  switch (by) {
    case "name":
      return a.name.localeCompare(b.name);
    case "state":
      return GRAVITY.indexOf(a.state) - GRAVITY.indexOf(b.state);
    case "last":
      return (a.lastSuccessAt ?? 0) - (b.lastSuccessAt ?? 0);
    case "next":
      return (a.nextDueAt ?? Number.MAX_SAFE_INTEGER) - (b.nextDueAt ?? Number.MAX_SAFE_INTEGER);
    case "size":
      return a.storedBytes - b.storedBytes;
  }
}
