// The vaults: how well they pack, and when it was last proven that everything in them can be read.

import { Badge, Group, SimpleGrid, Table, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import type { ReactNode } from "react";
import type { VaultState } from "../../../wire/v4/api/overview-routes.ts";
import { formatAge, formatBytes, plural } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { Time, useNow } from "../../parts/Time.tsx";
import { OVERVIEW } from "../../strings/overview.ts";
import runs from "../runs/runs.module.css";
import { factor } from "./ratios.ts";

const WORDS = OVERVIEW.vaults;

export function VaultProof({ vaults }: { readonly vaults: readonly VaultState[] }) {
  const isNarrow = useMediaQuery("(max-width: 62em)", undefined, { getInitialValueInEffect: false });
  if (isNarrow) {
    return (
      <Card title={WORDS.title} text={WORDS.text}>
        {vaults.map((vault) => (
          <Facts key={vault.vault} vault={vault} />
        ))}
      </Card>
    );
  }
  return (
    <Card isFlush title={WORDS.title} text={WORDS.text}>
      <Table.ScrollContainer minWidth={760}>
        <Table className={runs.table} verticalSpacing="sm" horizontalSpacing="lg">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{WORDS.vault}</Table.Th>
              <Table.Th className={runs.number}>{WORDS.stored}</Table.Th>
              <Table.Th className={runs.number}>{WORDS.protected}</Table.Th>
              <Table.Th className={runs.number}>{WORDS.dedup}</Table.Th>
              <Table.Th className={runs.number}>{WORDS.compression}</Table.Th>
              <Table.Th>{WORDS.scrub}</Table.Th>
              <Table.Th>{WORDS.check}</Table.Th>
              <Table.Th>{WORDS.verify}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {vaults.map((vault) => (
              <Row key={vault.vault} vault={vault} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}

function Facts({ vault }: { readonly vault: VaultState }) {
  const facts: readonly (readonly [string, ReactNode])[] = [
    [WORDS.stored, formatBytes(vault.storedBytes)],
    [WORDS.protected, formatBytes(vault.protectedBytes)],
    [WORDS.dedup, factor(vault.allBytes, vault.newBytes)],
    [WORDS.compression, factor(vault.newBytes, vault.addedBytes)],
    [WORDS.scrub, <When key="scrub" at={vault.lastScrubAt} />],
    [WORDS.check, <When key="check" at={vault.lastCheckAt} />],
    [WORDS.verify, <When key="verify" at={vault.lastVerifyAt} />],
  ];
  return (
    <div>
      <Name vault={vault} />
      <SimpleGrid cols={2} spacing="sm" mt="xs" component="dl" mb={0}>
        {facts.map(([label, value]) => (
          <div key={label}>
            <Text size="xs" c="dimmed" component="dt">
              {label}
            </Text>
            <Text size="sm" fw={500} component="dd" m={0}>
              {value}
            </Text>
          </div>
        ))}
      </SimpleGrid>
    </div>
  );
}

function Name({ vault: { name, problem, damagedBlocks } }: { readonly vault: VaultState }) {
  return (
    <Group gap="xs" wrap="nowrap">
      <Text fw={600} size="sm">
        {name}
      </Text>
      {problem !== null && (
        <Badge color="red" className={runs.badge}>
          {WORDS.broken}
        </Badge>
      )}
      {damagedBlocks > 0 && (
        <Badge color="red" className={runs.badge}>
          {plural(damagedBlocks, WORDS.damaged.one, WORDS.damaged.many)}
        </Badge>
      )}
    </Group>
  );
}

function Row({ vault }: { readonly vault: VaultState }) {
  const now = useNow();
  const { storedBytes, protectedBytes, oldestReadAt } = vault;
  return (
    <Table.Tr>
      <Table.Td>
        <Name vault={vault} />
      </Table.Td>
      <Table.Td className={runs.number}>{formatBytes(storedBytes)}</Table.Td>
      <Table.Td className={runs.number}>{formatBytes(protectedBytes)}</Table.Td>
      <Table.Td className={runs.number}>{factor(vault.allBytes, vault.newBytes)}</Table.Td>
      <Table.Td className={runs.number}>{factor(vault.newBytes, vault.addedBytes)}</Table.Td>
      <Table.Td>
        <When at={vault.lastScrubAt} />
        {oldestReadAt !== null && (
          <Text size="xs" c="dimmed">
            {WORDS.read(formatAge(oldestReadAt, now))}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <When at={vault.lastCheckAt} />
      </Table.Td>
      <Table.Td>
        <When at={vault.lastVerifyAt} />
      </Table.Td>
    </Table.Tr>
  );
}

function When({ at }: { readonly at: number | null }) {
  return at === null ? (
    <Text size="sm" c="dimmed" component="span">
      {WORDS.never}
    </Text>
  ) : (
    <Time at={at} />
  );
}
