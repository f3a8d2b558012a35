// Runs and logs: what devices did, and what the server says of itself.

import { Button, Group, Stack, Tabs, Text } from "@mantine/core";
import { IconDownload, IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import type { AppError } from "../../../core/errors.ts";
import { RUN_LIMITS, RUN_ROUTES } from "../../../wire/v4/api/run-routes.ts";
import { call } from "../../api/call.ts";
import { useRights } from "../../api/session.ts";
import { formatCount } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { PageFrame } from "../../parts/PageFrame.tsx";
import { EmptyNote, Lines } from "../../parts/QueryStates.tsx";
import { saveJson } from "../../parts/save-file.ts";
import { useNow } from "../../parts/Time.tsx";
import { RUNS } from "../../strings/runs.ts";
import { VaultLock } from "../../unlock/LockMenu.tsx";
import { useRunTurns } from "./live-runs.ts";
import { useNames } from "./names.ts";
import { queryOf, RunFilters, useFilters } from "./RunFilters.tsx";
import { RunsTable } from "./RunsTable.tsx";
import { ServerLog } from "./ServerLog.tsx";

export function Page() {
  return <RunsAndLogs tab="runs" />;
}

export function RunsAndLogs({ tab }: { readonly tab: "runs" | "log" }) {
  const rights = useRights();
  const navigate = useNavigate();
  const isOwner = rights.may("owner");
  const content = tab === "log" && isOwner ? <ServerLog /> : <Runs />;
  return (
    <PageFrame title={RUNS.title} lead={RUNS.lead} actions={<VaultLock />} isWide>
      {isOwner ? (
        <Tabs
          value={tab}
          onChange={(value) => void navigate({ to: value === "log" ? "/runs/log" : "/runs" })}
          keepMounted={false}
        >
          <Tabs.List mb="lg">
            <Tabs.Tab value="runs">{RUNS.tabs.runs}</Tabs.Tab>
            <Tabs.Tab value="log">{RUNS.tabs.log}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value={tab}>{content}</Tabs.Panel>
        </Tabs>
      ) : (
        content
      )}
    </PageFrame>
  );
}

function Runs() {
  useRunTurns();
  const names = useNames();
  const now = useNow();
  const [filters] = useFilters();
  const asked = queryOf(filters, now);
  const hasFilter = Object.keys(filters).length > 0;
  const query = useInfiniteQuery<Awaited<ReturnType<typeof pageOf>>, AppError>({
    queryKey: [RUN_ROUTES.runs.path, "pages", filters],
    queryFn: ({ pageParam, signal }) => pageOf(asked, pageParam as string | null, signal),
    initialPageParam: null,
    getNextPageParam: ({ next }) => next,
  });
  const download = useMutation({
    mutationFn: () => call(RUN_ROUTES.exportRuns, { query: asked }),
    onSuccess: (answer) => saveJson(`cyberbackup-runs-${new Date().toISOString().slice(0, 10)}.json`, answer),
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const runs = query.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Stack gap="lg">
      <Card>
        <RunFilters>
          <Button
            variant="default"
            leftSection={<IconDownload size={18} aria-hidden />}
            onClick={() => download.mutate()}
            loading={download.isPending}
          >
            {RUNS.download}
          </Button>
        </RunFilters>
      </Card>
      {query.isPending && !query.isError && <Lines count={6} />}
      {query.isError && runs.length === 0 && <ErrorNote error={query.error} onRetry={() => void query.refetch()} />}
      {query.isSuccess && runs.length === 0 && (
        <EmptyNote
          icon={IconHistory}
          title={hasFilter ? RUNS.emptyFiltered : RUNS.empty}
          text={hasFilter ? RUNS.emptyFilteredText : RUNS.emptyText}
        />
      )}
      {runs.length > 0 && (
        <Card isFlush>
          <RunsTable runs={runs} names={names} onEnd={more} />
          <Group justify="space-between" px="lg" pb="md" gap="sm">
            <Text size="sm" c="dimmed">
              {RUNS.all(formatCount(runs.length))}
            </Text>
            {hasNextPage && (
              <Button variant="default" onClick={more} loading={isFetchingNextPage}>
                {RUNS.more}
              </Button>
            )}
          </Group>
        </Card>
      )}
    </Stack>
  );
}

function pageOf(query: Record<string, string | number>, after: string | null, signal: AbortSignal) {
  return call(RUN_ROUTES.runs, {
    query: { ...query, limit: RUN_LIMITS.rowsPerPage, ...(after === null ? {} : { after }) },
    signal,
  });
}
