// Version, how the server is, licences, and its certificate.

import { Anchor, SimpleGrid, Stack, Text } from "@mantine/core";
import { PAGE_ROUTES } from "../../../wire/v4/api/page-routes.ts";
import { PEOPLE_ROUTES } from "../../../wire/v4/api/people-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { formatBytes, formatCount } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { Time } from "../../parts/Time.tsx";
import { TrustNote } from "../../parts/TrustNote.tsx";
import { ABOUT, SETTINGS } from "../../strings/settings.ts";

export function About() {
  const status = useApi(PEOPLE_ROUTES.status);
  const reach = useApi(PAGE_ROUTES.reach);
  return (
    <>
      <Card title={SETTINGS.sections.about}>
        <QueryStates query={status}>
          {({ version, startedAt, vaults, connections, disk, memory }) => (
            <SimpleGrid cols={{ base: 2, md: 3 }}>
              <Fact label={ABOUT.version}>{version}</Fact>
              <Fact label={ABOUT.upSince}>
                <Time at={startedAt} />
              </Fact>
              <Fact label={ABOUT.vaults}>{formatCount(vaults)}</Fact>
              <Fact label={ABOUT.connections}>{formatCount(connections)}</Fact>
              <Fact label={ABOUT.disk}>
                {formatBytes(disk.freeBytes)} {ABOUT.of} {formatBytes(disk.totalBytes)}
              </Fact>
              <Fact label={ABOUT.memory}>{formatBytes(memory.residentBytes)}</Fact>
            </SimpleGrid>
          )}
        </QueryStates>
      </Card>
      <Card title={ABOUT.licence} text={ABOUT.licenceText}>
        <Stack gap={6}>
          <Anchor href="/licenses.md" target="_blank" size="sm">
            {ABOUT.components}
          </Anchor>
          <Anchor href="/api/openapi.json" target="_blank" size="sm">
            {ABOUT.api}
          </Anchor>
          <Text size="sm" c="dimmed">
            {ABOUT.telemetry}
          </Text>
        </Stack>
      </Card>
      <Card title={ABOUT.trust}>
        <QueryStates query={reach}>{(found) => <TrustNote reach={found} />}</QueryStates>
      </Card>
    </>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text fw={600} component="div">
        {children}
      </Text>
    </div>
  );
}
