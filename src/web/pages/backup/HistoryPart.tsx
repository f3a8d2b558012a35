// What this browser has backed up so far. Kept in the browser; the server's own history of runs is on the page "Runs and logs".

import { Badge, Table, Text } from "@mantine/core";
import { memo } from "react";
import type { PastRun } from "../../backup/device-store.ts";
import { formatBytes, formatCount, formatDuration } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { Time } from "../../parts/Time.tsx";
import { BACKUP } from "../../strings/backup.ts";
import { wordsOfCode } from "../../strings/errors.ts";
import classes from "./backup.module.css";

const WORDS = BACKUP.history;
const COLOURS = { done: "green", failed: "red", cancelled: "gray" } as const;
const SHOWN = 20;

export const HistoryPart = memo(function HistoryPart({ runs }: { readonly runs: readonly PastRun[] }) {
  return (
    <Card title={WORDS.title}>
      {runs.length === 0 ? (
        <Text size="sm" c="dimmed">
          {WORDS.empty}
        </Text>
      ) : (
        <Table.ScrollContainer minWidth={640} type="native">
          <Table verticalSpacing={6} aria-label={WORDS.title}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{WORDS.when}</Table.Th>
                <Table.Th>{WORDS.plan}</Table.Th>
                <Table.Th>{WORDS.outcome}</Table.Th>
                <Table.Th ta="right">{WORDS.files}</Table.Th>
                <Table.Th ta="right">{WORDS.size}</Table.Th>
                <Table.Th ta="right">{WORDS.stored}</Table.Th>
                <Table.Th ta="right">{WORDS.took}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody className={classes.nowrap ?? ""}>
              {runs.slice(0, SHOWN).map((run) => (
                <Table.Tr key={`${run.startedAt} ${run.plan}`}>
                  <Table.Td>
                    <Time at={run.startedAt} />
                  </Table.Td>
                  <Table.Td>{run.plan}</Table.Td>
                  <Table.Td>
                    <Badge variant="dot" color={COLOURS[run.outcome]}>
                      {WORDS.outcomes[run.outcome]}
                    </Badge>
                    {run.errorCode !== undefined && run.outcome === "failed" && (
                      <Text size="xs" c="dimmed">
                        {wordsOfCode(run.errorCode)}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td ta="right">{formatCount(run.files)}</Table.Td>
                  <Table.Td ta="right">{formatBytes(run.bytes)}</Table.Td>
                  <Table.Td ta="right">{formatBytes(run.addedBytes)}</Table.Td>
                  <Table.Td ta="right">{formatDuration(run.durationMs)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Card>
  );
});
