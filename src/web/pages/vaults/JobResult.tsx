// What came of a job, or what its dry run says that it would do, in words and numbers.

import { Alert, Group, List, Stack, Table, Text } from "@mantine/core";
import { AppError, ERRORS, type ErrorCode } from "../../../core/errors.ts";
import type { Job } from "../../../wire/v4/api/job-routes.ts";
import { formatBytes, formatCount, formatDuration, formatTime } from "../../format/numbers.ts";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { CARE } from "../../strings/vaults.ts";
import { JobProgress } from "./Care.tsx";

type Problem = { readonly object: string; readonly detail: string };

export function JobResult({ job }: { readonly job: Job }) {
  const { state, error, result, startedAt, endedAt } = job;
  if (state === "waiting" || state === "running") return <JobProgress job={job} />;
  const problems = problemsIn(result);
  return (
    <Stack>
      {startedAt !== null && (
        <Group gap="xs">
          <Text size="sm" c="dimmed">
            {formatTime(startedAt)}
            {endedAt === null ? "" : ` · ${formatDuration(endedAt - startedAt)}`}
          </Text>
        </Group>
      )}
      {error !== null && <ErrorNote error={errorOf(error)} />}
      {result !== null && (
        <Table>
          <Table.Tbody>
            {Object.entries(result).flatMap(([name, value]) => {
              const label = CARE.results[name];
              const text = label === undefined ? undefined : shown(name, value);
              return text === undefined
                ? []
                : [
                    <Table.Tr key={name}>
                      <Table.Td>{label}</Table.Td>
                      <Table.Td ta="right">{text}</Table.Td>
                    </Table.Tr>,
                  ];
            })}
          </Table.Tbody>
        </Table>
      )}
      {problems.length > 0 && (
        <Alert color="red" variant="light" title={CARE.results.problems}>
          <List size="sm">
            {problems.map(({ object, detail }) => (
              <List.Item key={object + detail}>
                {object}: {detail}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
    </Stack>
  );
}

/** Lists are counted. */
function shown(name: string, value: unknown): string | undefined {
  const number = Array.isArray(value) ? value.length : value;
  if (typeof number !== "number") return undefined;
  return /bytes/i.test(name) ? formatBytes(number) : formatCount(number);
}

function problemsIn(result: Job["result"]): readonly Problem[] {
  const problems = result?.problems;
  return Array.isArray(problems) ? (problems as Problem[]).slice(0, 100) : [];
}

function errorOf({ code, context }: NonNullable<Job["error"]>): AppError {
  return new AppError(Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : "internal", { context });
}
