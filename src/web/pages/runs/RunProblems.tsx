// What a run could not read, in plain words. Names are sealed: they are shown once the vault is unlocked in this tab, and leave with its key.

import { Code, List, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { AppError } from "../../../core/errors.ts";
import type { Run } from "../../../wire/v4/api/run-routes.ts";
import type { RunDetailsView } from "../../engine/reader-api.ts";
import { plural } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { READ_PROBLEM_OTHER, READ_PROBLEMS, RUNS } from "../../strings/runs.ts";
import { UnlockNote } from "../../unlock/UnlockNote.tsx";
import { useOpenVault } from "../../unlock/vault-store.ts";
import classes from "./runs.module.css";

export function RunProblems({ run }: { readonly run: Run }) {
  const client = useOpenVault(run.vault)?.client;
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
        run.hasDetails && (problems > 0 || run.error !== null) && <UnlockNote vault={run.vault} text={RUNS.locked} />
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
