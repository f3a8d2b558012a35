// What rules would keep of the snapshots that there are, and why: for people to look at before they save rules.

import { Badge, Stack, Table, Text } from "@mantine/core";
import type { z } from "zod";
import type { JOB_ROUTES } from "../../../wire/v4/api/job-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { formatCount } from "../../format/numbers.ts";
import { Time } from "../../parts/Time.tsx";
import { RETENTION } from "../../strings/vaults.ts";

type Items = z.output<typeof JOB_ROUTES.previewRetention.answer.schema>["items"];

const SHOWN = 100;

export function WouldKeep({
  vault,
  items,
  names,
}: {
  readonly vault: string;
  readonly items: Items;
  /** Of plans, by token. */
  readonly names: ReadonlyMap<string, string>;
}) {
  const devices = useApi(VAULT_ROUTES.deviceList, { params: { vault } });
  const nameOf = (id: string): string =>
    devices.data?.devices.find(({ device }) => device === id)?.name ?? id.slice(0, 8);
  return (
    <Stack gap={4}>
      <Text size="sm" px="lg" role="status">
        {wouldKeepWords(items)}
      </Text>
      <Table.ScrollContainer minWidth={480}>
        <Table verticalSpacing="xs" horizontalSpacing="lg">
          <Table.Tbody>
            {items.slice(0, SHOWN).map(({ snapshot, device, plan, receivedAt, reasons }) => (
              <Table.Tr key={snapshot}>
                <Table.Td>
                  <Time at={receivedAt} />
                </Table.Td>
                <Table.Td>{nameOf(device)}</Table.Td>
                <Table.Td>{names.get(plan) ?? plan.slice(0, 8)}</Table.Td>
                <Table.Td>
                  <Badge variant="light" color={reasons.length > 0 ? "green" : "orange"}>
                    {reasons.length > 0 ? RETENTION.keeps : RETENTION.goes}
                  </Badge>
                </Table.Td>
                <Table.Td>
                  <Text size="sm" c="dimmed">
                    {reasons.map((reason) => RETENTION.reasons[reason] ?? reason).join(", ")}
                  </Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}

function wouldKeepWords(items: Items): string {
  const kept = items.filter(({ reasons }) => reasons.length > 0).length;
  return RETENTION.wouldKeep(formatCount(kept), formatCount(items.length - kept));
}
