// The vaults that one may see.

import { Anchor, Badge, Group, Paper, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { useApi } from "../../api/use-api.ts";
import { formatBytes, formatCount } from "../../format/numbers.ts";
import { NewVaultButton, NoVault } from "../../parts/NoVault.tsx";
import { PageFrame } from "../../parts/PageFrame.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { VAULT, VAULTS } from "../../strings/vaults.ts";
import { Figure } from "./Figure.tsx";

export function Page() {
  const { may } = useRights();
  const query = useApi(VAULT_ROUTES.vaults);
  const make = may("owner") && <NewVaultButton />;
  return (
    <PageFrame title={VAULTS.title} lead={VAULTS.lead} actions={make}>
      <QueryStates query={query} isEmpty={({ vaults }) => vaults.length === 0} empty={<NoVault />}>
        {({ vaults }) => (
          <SimpleGrid cols={{ base: 1, md: vaults.length > 1 ? 2 : 1 }}>
            {vaults.map(({ id, name, problem }) => (
              <VaultCard key={id} id={id} name={name} problem={problem} />
            ))}
          </SimpleGrid>
        )}
      </QueryStates>
    </PageFrame>
  );
}

function VaultCard({
  id,
  name,
  problem,
}: {
  readonly id: string;
  readonly name: string;
  readonly problem: string | null;
}) {
  const query = useApi(VAULT_ROUTES.vault, { params: { vault: id } }, { enabled: problem === null });
  return (
    <Paper withBorder radius="lg" p="lg" component="section" aria-label={name}>
      <Stack gap="md">
        <Group justify="space-between">
          <Title order={2} size="h4">
            <Anchor component={Link} to={`/vaults/${id}`} inherit>
              {name}
            </Anchor>
          </Title>
          {problem === null ? (
            <Health damaged={query.data?.stats.damagedBlocks} running={query.data?.stats.openSessions} />
          ) : (
            <Badge color="red" variant="light" tt="none">
              {VAULTS.problem}: {problem.replaceAll("_", " ")}
            </Badge>
          )}
        </Group>
        {problem === null && (
          <QueryStates query={query}>
            {({ stats }) => (
              <SimpleGrid cols={{ base: 2, sm: 4 }}>
                <Figure label={VAULTS.snapshots}>{formatCount(stats.snapshots)}</Figure>
                <Figure label={VAULTS.stored}>{formatBytes(stats.packBytes)}</Figure>
                <Figure label={VAULT.openSessions}>{formatCount(stats.openSessions)}</Figure>
                <Figure label={VAULTS.trash}>{formatCount(stats.trashedSnapshots)}</Figure>
              </SimpleGrid>
            )}
          </QueryStates>
        )}
        {problem !== null && (
          <Text size="sm" c="dimmed">
            {id}
          </Text>
        )}
      </Stack>
    </Paper>
  );
}

export function Health({
  damaged,
  running,
}: {
  readonly damaged?: number | undefined;
  readonly running?: number | undefined;
}) {
  return (
    <Group gap={6}>
      {(running ?? 0) > 0 && (
        <Badge variant="light" tt="none">
          {VAULTS.running}
        </Badge>
      )}
      {damaged !== undefined && (
        <Badge variant="light" tt="none" color={damaged > 0 ? "red" : "green"}>
          {damaged > 0 ? `${VAULTS.damaged}: ${formatCount(damaged)}` : VAULTS.healthy}
        </Badge>
      )}
    </Group>
  );
}
