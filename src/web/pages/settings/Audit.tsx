// The audit trail, newest first, a page at a time.

import { Badge, Button, Center, Group, Menu, Table, Text } from "@mantine/core";
import { IconDownload, IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import type { z } from "zod";
import { PEOPLE_ROUTES } from "../../../wire/v4/api/people-routes.ts";
import { call } from "../../api/call.ts";
import { keyOf } from "../../api/use-api.ts";
import { formatCount } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { toCsv } from "../../parts/csv.ts";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { EmptyNote, Lines } from "../../parts/QueryStates.tsx";
import { saveText } from "../../parts/save-file.ts";
import { Time } from "../../parts/Time.tsx";
import { AUDIT, auditWords } from "../../strings/audit.ts";
import { SETTINGS } from "../../strings/settings.ts";

const MOST = 200;
type Item = z.output<typeof PEOPLE_ROUTES.audit.answer.schema>["items"][number];

export function Audit() {
  const query = useInfiniteQuery({
    queryKey: [...keyOf(PEOPLE_ROUTES.audit), "pages"],
    queryFn: ({ pageParam, signal }) =>
      call(PEOPLE_ROUTES.audit, { query: pageParam === undefined ? {} : { after: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
  });
  const exporting = useMutation({ mutationFn: exportAll });
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card
      title={SETTINGS.sections.audit}
      text={AUDIT.text}
      isFlush
      actions={
        <Menu position="bottom-end">
          <Menu.Target>
            <Button
              variant="default"
              size="xs"
              loading={exporting.isPending}
              leftSection={<IconDownload size={16} aria-hidden />}
            >
              {AUDIT.export}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => exporting.mutate("csv")}>CSV</Menu.Item>
            <Menu.Item onClick={() => exporting.mutate("json")}>JSON</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      }
    >
      {query.isError && <ErrorNote error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Lines count={6} />}
      {query.isSuccess && items.length === 0 && <EmptyNote isInCard icon={IconHistory} title={AUDIT.none} />}
      {items.length > 0 && (
        <Table.ScrollContainer minWidth={300}>
          <Table verticalSpacing="xs" horizontalSpacing="lg">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{AUDIT.when}</Table.Th>
                <Table.Th visibleFrom="sm">{AUDIT.who}</Table.Th>
                <Table.Th>{AUDIT.what}</Table.Th>
                <Table.Th visibleFrom="sm">{AUDIT.outcome}</Table.Th>
                <Table.Th visibleFrom="sm">{AUDIT.from}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {turnsOf(items).map(({ item: { id, at, by, name, action, outcome, address }, count }) => (
                <Table.Tr key={id}>
                  <Table.Td>
                    <Time at={at} />
                    <Text size="xs" c="dimmed" hiddenFrom="sm">
                      {whoOf(name, by)}
                    </Text>
                  </Table.Td>
                  <Table.Td visibleFrom="sm">{whoOf(name, by)}</Table.Td>
                  <Table.Td>
                    <Text size="sm" title={action}>
                      {auditWords(action)}
                      {count > 1 && (
                        <Text span size="xs" c="dimmed">
                          {" "}
                          {AUDIT.times(formatCount(count))}
                        </Text>
                      )}
                    </Text>
                    <Text size="xs" c="dimmed" hiddenFrom="sm">
                      {address ?? "–"}
                    </Text>
                    {outcome !== "ok" && (
                      <Group hiddenFrom="sm">
                        <Outcome outcome={outcome} />
                      </Group>
                    )}
                  </Table.Td>
                  <Table.Td visibleFrom="sm">
                    <Outcome outcome={outcome} />
                  </Table.Td>
                  <Table.Td visibleFrom="sm">{address ?? "–"}</Table.Td>
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

function Outcome({ outcome }: { readonly outcome: string }) {
  return (
    <Badge size="sm" variant="light" color={outcome === "ok" ? "green" : "red"}>
      {outcome === "ok" ? AUDIT.ok : outcome.replaceAll("_", " ")}
    </Badge>
  );
}

/** What somebody did several times on end is one row with a count: a look into a vault is many requests. */
function turnsOf(items: readonly Item[]): readonly { readonly item: Item; readonly count: number }[] {
  const turns: { item: Item; count: number }[] = [];
  for (const item of items) {
    const last = turns.at(-1);
    const isSame =
      last !== undefined &&
      auditWords(last.item.action) === auditWords(item.action) &&
      (last.item.vault === item.vault || last.item.vault === null || item.vault === null) &&
      (["by", "person", "name", "outcome", "address"] as const).every((key) => last.item[key] === item[key]);
    if (isSame) last.count++;
    else turns.push({ item, count: 1 });
  }
  return turns;
}

function whoOf(name: string | null, by: string): string {
  return name ?? (by === "machine" ? AUDIT.machine : undefined) ?? by.replace(/([0-9a-f]{8})[0-9a-f]{8,}/, "$1…");
}

/** All of it, page by page. */
async function exportAll(format: "csv" | "json"): Promise<void> {
  const items: Item[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await call(PEOPLE_ROUTES.audit, {
      query: after === undefined ? { limit: MOST } : { limit: MOST, after },
    });
    items.push(...page.items);
    after = page.next;
  }
  if (format === "json") saveText("cyberbackup-audit.json", JSON.stringify(items, null, 2), "application/json");
  else {
    const rows = items.map((item) => ({ ...item, at: new Date(item.at).toISOString() }));
    saveText("cyberbackup-audit.csv", toCsv(rows), "text/csv");
  }
}
