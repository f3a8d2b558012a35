// The vault's log, newest first, and whether it holds together.

import { Alert, Button, Center, Code, List, Stack, Table, Text } from "@mantine/core";
import { IconShieldCheck, IconShieldX } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import type { DeviceId } from "../../../core/ids.ts";
import { DEVICE_ROUTES } from "../../../wire/v4/api/device-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import type { LogEntry } from "../../../wire/v4/log-entry.ts";
import { keyOf, useApi } from "../../api/use-api.ts";
import { formatCount } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { Lines } from "../../parts/QueryStates.tsx";
import { Time } from "../../parts/Time.tsx";
import { LOG } from "../../strings/vaults.ts";
import type { SectionProps } from "./detail.tsx";
import { readEntries, type Verified, verifyLog } from "./read-log.ts";

const PAGE = 100;

export function Log({ vault }: SectionProps) {
  const head = useApi(DEVICE_ROUTES.head, { params: { vault } });
  const devices = useApi(VAULT_ROUTES.deviceList, { params: { vault } });
  const seq = head.data?.seq;
  const log = useInfiniteQuery({
    queryKey: [...keyOf(DEVICE_ROUTES.log, { params: { vault } }), seq],
    enabled: seq !== undefined,
    initialPageParam: seq ?? 0,
    queryFn: async ({ pageParam, signal }) => {
      const after = Math.max(0, pageParam - PAGE);
      const entries = await readEntries(vault, after, pageParam - after, signal);
      return { after, entries: entries.reverse() };
    },
    getNextPageParam: ({ after }) => (after > 0 ? after : undefined),
  });
  const verify = useMutation({ mutationFn: () => verifyLog(vault) });
  const nameOf = (id: DeviceId | undefined): string =>
    id === undefined ? LOG.server : (devices.data?.devices.find(({ device }) => device === id)?.name ?? id.slice(0, 8));
  const entries = log.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <Card
      title={LOG.title}
      text={LOG.text}
      isFlush
      actions={
        <Button
          leftSection={<IconShieldCheck size={18} aria-hidden />}
          loading={verify.isPending}
          onClick={() => verify.mutate()}
        >
          {LOG.verify}
        </Button>
      }
    >
      <Stack px="lg" gap="sm">
        {verify.data !== undefined && <Verdict verified={verify.data} />}
        {(head.isError || log.isError) && <ErrorNote error={head.error ?? log.error} />}
        {log.isPending && !head.isError && <Lines count={6} />}
      </Stack>
      {entries.length > 0 && (
        <Table.ScrollContainer minWidth={300}>
          <Table verticalSpacing="xs" horizontalSpacing="lg">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{LOG.entry}</Table.Th>
                <Table.Th>{LOG.what}</Table.Th>
                <Table.Th visibleFrom="sm">{LOG.who}</Table.Th>
                <Table.Th visibleFrom="sm">{LOG.when}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {entries.map((entry) => (
                <Table.Tr key={entry.seq}>
                  <Table.Td>{formatCount(entry.seq)}</Table.Td>
                  <Table.Td>
                    {LOG.types[entry.type] ?? entry.type}{" "}
                    <Text span size="xs" c="dimmed" ff="monospace">
                      {subjectOf(entry)}
                    </Text>
                    <Text size="xs" c="dimmed" hiddenFrom="sm">
                      {nameOf(entry.by)}, <Time at={entry.at} />
                    </Text>
                  </Table.Td>
                  <Table.Td visibleFrom="sm">{nameOf(entry.by)}</Table.Td>
                  <Table.Td visibleFrom="sm">
                    <Time at={entry.at} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {log.hasNextPage && (
        <Center pb="lg">
          <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            {LOG.more}
          </Button>
        </Center>
      )}
    </Card>
  );
}

function Verdict({ verified }: { readonly verified: Verified }) {
  const { problems, seq, id } = verified;
  if (problems.length === 0) {
    return (
      <Alert color="green" variant="light" title={LOG.good} icon={<IconShieldCheck aria-hidden />} role="status">
        <Text size="sm">{LOG.goodText(formatCount(seq))}</Text>
        <Text size="xs" mt={4}>
          {LOG.head} <Code style={{ overflowWrap: "anywhere" }}>{id}</Code>
        </Text>
      </Alert>
    );
  }
  return (
    <Alert color="red" title={LOG.bad} icon={<IconShieldX aria-hidden />} role="alert">
      <List size="sm">
        {problems.map((problem) => (
          <List.Item key={problem}>{problem}</List.Item>
        ))}
      </List>
    </Alert>
  );
}

function subjectOf({ type, body }: LogEntry): string {
  switch (type) {
    case "device-add":
      return body.name;
    case "keyslot-add":
      return body.label;
    case "device-revoke":
      return body.device.slice(0, 8);
    case "device-trust":
      return LOG.trust(body.device.slice(0, 8), body.group);
    case "keyslot-remove":
      return body.id.slice(0, 12);
    case "genesis":
      return body.record.slice(0, 12);
    default:
      return body.snapshot.slice(0, 12);
  }
}
