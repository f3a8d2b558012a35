// What a run could not read, in plain words. Names are sealed: they are shown once the vault is unlocked in this tab, and leave with its key.

import { Alert, Button, Code, Group, List, Stack, Text } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { AppError } from "../../../core/errors.ts";
import type { Run } from "../../../wire/v4/api/run-routes.ts";
import type { RunDetailsView } from "../../engine/reader-api.ts";
import { plural } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { READ_PROBLEM_OTHER, READ_PROBLEMS, RUNS } from "../../strings/runs.ts";
import { useVault } from "../files/vault-store.ts";
import classes from "./runs.module.css";

export function RunProblems({ run }: { readonly run: Run }) {
  const { open } = useVault();
  const client = open?.id === run.vault ? open.client : undefined;
  const query = useQuery<RunDetailsView, AppError>({
    queryKey: ["run-details", run.vault, run.run, run.heardAt],
    queryFn: () => client!.call("runDetails", { run: run.run, device: run.device }),
    enabled: client !== undefined && run.hasDetails,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
  const { problems } = run.counts;
  if (!run.isReported || run.kind !== "backup") return null;
  const count = plural(problems, RUNS.problemCount.one, RUNS.problemCount.many);
  return (
    <Card title={RUNS.problems} text={problems === 0 ? RUNS.noProblems : count}>
      {client === undefined ? (
        run.hasDetails &&
        (problems > 0 || run.error !== null) && (
          <Alert variant="light" color="gray" icon={<IconLock aria-hidden />}>
            <Group justify="space-between" gap="sm">
              <Text size="sm">{RUNS.locked}</Text>
              <Button component={Link} to={`/files/${run.vault}`} size="compact-md" variant="light">
                {RUNS.unlock}
              </Button>
            </Group>
          </Alert>
        )
      ) : run.hasDetails ? (
        <QueryStates query={query}>{(details) => <Details details={details} />}</QueryStates>
      ) : (
        problems > 0 && (
          <Text size="sm" c="dimmed">
            {RUNS.oldDetails}
          </Text>
        )
      )}
    </Card>
  );
}

function Details({ details }: { readonly details: RunDetailsView }) {
  const { host, message, paths, problems, more } = details;
  return (
    <Stack gap="md">
      {message !== "" && (
        <div>
          <Text size="xs" c="dimmed">
            {RUNS.message}
          </Text>
          <Text size="sm">{message}</Text>
        </div>
      )}
      {problems.length > 0 && (
        <List spacing="xs" listStyleType="none">
          {problems.map(({ path, code }) => (
            <List.Item key={path + code}>
              <div className={classes.path}>{path}</div>
              <Text size="sm" c="dimmed">
                {READ_PROBLEMS[code] ?? READ_PROBLEM_OTHER(code)}
              </Text>
            </List.Item>
          ))}
        </List>
      )}
      {more > 0 && (
        <Text size="sm" c="dimmed">
          {plural(more, RUNS.namesMore.one, RUNS.namesMore.many)}
        </Text>
      )}
      <div>
        <Text size="xs" c="dimmed">
          {RUNS.source} · {RUNS.host} {host}
        </Text>
        {paths.map((path) => (
          <Code key={path} mr={6}>
            {path}
          </Code>
        ))}
      </div>
    </Stack>
  );
}
