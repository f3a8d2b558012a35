// The recovery kit of a new vault, to print or save, and the check that it was: whoever made a vault types two groups of the key back.
// The key is only in memory, and in what its owner prints or saves.

import { Alert, Button, Code, Group, Paper, SimpleGrid, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconDownload, IconPrinter } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { recoveryKit } from "../../engine/unlock.ts";
import { formatDay } from "../format/numbers.ts";
import { QrCode } from "../parts/QrCode.tsx";
import { saveText } from "../parts/save-file.ts";
import { KIT } from "../strings/backup.ts";
import { checkGroups, groupsOf } from "./kit-groups.ts";
import classes from "./RecoveryKit.module.css";

export type Kit = {
  readonly vaultName: string;
  readonly vaultId: string;
  /** `https://host:port/NAME`. */
  readonly address: string;
  /** `AGE-SECRET-KEY-PQ-1…`. */
  readonly identity: string;
  readonly createdAt: number;
};

export function RecoveryKit({ kit }: { readonly kit: Kit }) {
  const { vaultName, vaultId, address, identity, createdAt } = kit;
  const facts: readonly (readonly [string, string])[] = [
    [KIT.vault, vaultName],
    [KIT.address, address],
    [KIT.vaultId, vaultId],
    [KIT.made, formatDay(createdAt)],
  ];
  return (
    <Stack gap="md">
      <Alert
        color="orange"
        variant="light"
        icon={<IconAlertTriangle aria-hidden />}
        className={classes.screenOnly ?? ""}
      >
        {KIT.warning}
      </Alert>
      <Paper withBorder radius="lg" p="lg" className={classes.sheet ?? ""} data-recovery-kit>
        <Title order={3} size="h3">
          CyberBackup · {KIT.title}
        </Title>
        <Text size="sm" mt={4}>
          {KIT.text}
        </Text>
        <div className={classes.columns}>
          <Stack gap="sm" miw={0}>
            <dl className={classes.facts}>
              {facts.map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
            <Text fw={600} size="sm">
              {KIT.key}
            </Text>
            <KeyGroups identity={identity} />
          </Stack>
          <QrCode text={identity} label={KIT.qr} className={classes.qr ?? ""} />
        </div>
        <Text fw={600} size="sm" mt="md">
          {KIT.stepsTitle}
        </Text>
        <ol className={classes.steps}>
          {KIT.steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      </Paper>
      <Group gap="sm" className={classes.screenOnly ?? ""}>
        <Button leftSection={<IconPrinter size={18} aria-hidden />} onClick={() => window.print()}>
          {KIT.print}
        </Button>
        <Button variant="default" leftSection={<IconDownload size={18} aria-hidden />} onClick={() => saveKit(kit)}>
          {KIT.save}
        </Button>
      </Group>
    </Stack>
  );
}

/** Calls `onRight` once both groups are right. `chosen`: which two are asked for; by chance if not given. */
export function RecoveryKitCheck({
  identity,
  onRight,
  chosen,
}: {
  readonly identity: string;
  readonly onRight: () => void;
  readonly chosen?: readonly [number, number];
}) {
  const groups = useMemo(() => groupsOf(identity), [identity]);
  const asked = useMemo(() => chosen ?? twoOf(groups.length), [chosen, groups.length]);
  const [typed, setTyped] = useState<readonly [string, string]>(["", ""]);
  const [isRight, setRight] = useState(false);
  const change = (at: 0 | 1, text: string): void => {
    const next: readonly [string, string] = at === 0 ? [text, typed[1]] : [typed[0], text];
    setTyped(next);
    if (!isRight && checkGroups(identity, asked, next)) {
      setRight(true);
      onRight();
    }
  };
  return (
    <Stack gap="sm">
      <Title order={3} size="h4">
        {KIT.checkTitle}
      </Title>
      <Text size="sm" c="dimmed">
        {KIT.checkText}
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        {([0, 1] as const).map((at) => {
          const wanted = groups[asked[at]]!;
          const isWrong =
            typed[at].length >= wanted.length && !checkGroups(identity, [asked[at], asked[at]], [typed[at], typed[at]]);
          return (
            <TextInput
              key={at}
              label={KIT.group(asked[at] + 1)}
              value={typed[at]}
              onChange={({ currentTarget }) => change(at, currentTarget.value)}
              error={isWrong ? KIT.wrong : undefined}
              autoComplete="off"
              spellCheck={false}
              ff="monospace"
              disabled={isRight}
            />
          );
        })}
      </SimpleGrid>
      {isRight && (
        <Group gap={6} role="status">
          <IconCheck size={18} aria-hidden color="var(--cb-good)" />
          <Text size="sm">{KIT.right}</Text>
        </Group>
      )}
    </Stack>
  );
}

/** Numbered groups, so that a person can find and type them. */
function KeyGroups({ identity }: { readonly identity: string }) {
  return (
    <ol className={classes.groups} aria-label={KIT.key}>
      {groupsOf(identity).map((group, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: groups are known by their place
        <li key={i}>
          <span aria-hidden>{i + 1}</span>
          <Code>{group}</Code>
        </li>
      ))}
    </ol>
  );
}

function saveKit({ vaultId, vaultName, identity, createdAt, address }: Kit): void {
  saveText(KIT.fileName(vaultName), recoveryKit({ vaultId, identity, createdAt, address }));
}

/** Two different ones; not the first, which is the same for all keys. */
function twoOf(count: number): readonly [number, number] {
  const [a = 0, b = 0] = crypto.getRandomValues(new Uint32Array(2));
  const first = 1 + (a % (count - 1));
  const second = 1 + ((first - 1 + 1 + (b % (count - 2))) % (count - 1));
  return first < second ? [first, second] : [second, first];
}
