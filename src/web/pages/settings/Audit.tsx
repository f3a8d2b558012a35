// The audit trail, newest first, a page at a time.

import { Badge, Button, Center, Table, Text } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { PEOPLE_ROUTES } from "../../../wire/v4/api/people-routes.ts";
import { call } from "../../api/call.ts";
import { keyOf } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { EmptyNote, Lines } from "../../parts/QueryStates.tsx";
import { Time } from "../../parts/Time.tsx";
import { AUDIT, SETTINGS } from "../../strings/settings.ts";

export function Audit() {
  const query = useInfiniteQuery({
    queryKey: [...keyOf(PEOPLE_ROUTES.audit), "pages"],
    queryFn: ({ pageParam, signal }) =>
      call(PEOPLE_ROUTES.audit, { query: pageParam === undefined ? {} : { after: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
  });
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card title={SETTINGS.sections.audit} text={AUDIT.text} isFlush>
      {query.isError && <ErrorNote error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Lines count={6} />}
      {query.isSuccess && items.length === 0 && <EmptyNote icon={IconHistory} title={AUDIT.none} />}
      {items.length > 0 && (
        <Table.ScrollContainer minWidth={620}>
          <Table verticalSpacing="xs" horizontalSpacing="lg">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{AUDIT.when}</Table.Th>
                <Table.Th>{AUDIT.who}</Table.Th>
                <Table.Th>{AUDIT.what}</Table.Th>
                <Table.Th>{AUDIT.outcome}</Table.Th>
                <Table.Th>{AUDIT.from}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.map(({ id, at, by, name, action, outcome, address }) => (
                <Table.Tr key={id}>
                  <Table.Td>
                    <Time at={at} />
                  </Table.Td>
                  <Table.Td>{name ?? by.replace(/([0-9a-f]{8})[0-9a-f]{8,}/, "$1…")}</Table.Td>
                  <Table.Td>
                    <Text size="sm" ff="monospace">
                      {action}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Badge size="sm" variant="light" tt="none" color={outcome === "ok" ? "green" : "red"}>
                      {outcome === "ok" ? AUDIT.ok : outcome.replaceAll("_", " ")}
                    </Badge>
                  </Table.Td>
                  <Table.Td>{address ?? "–"}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {query.hasNextPage && (
        <Center pb="lg">
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {SETTINGS.more}
          </Button>
        </Center>
      )}
    </Card>
  );
}
