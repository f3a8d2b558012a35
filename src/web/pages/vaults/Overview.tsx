// What is in a vault, its name, and how much it may hold.

import { Button, Group, NumberInput, Progress, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { z } from "zod";
import { JOB_ROUTES } from "../../../wire/v4/api/job-routes.ts";
import { PAGE_ROUTES } from "../../../wire/v4/api/page-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { formatBytes, formatCount, formatShare } from "../../format/numbers.ts";
import { Card } from "../../parts/Card.tsx";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { deviceAddress } from "../../parts/device-address.ts";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { useUnsaved } from "../../parts/use-unsaved.ts";
import { VAULT, VAULTS } from "../../strings/vaults.ts";
import type { SectionProps } from "./detail.tsx";
import { Figure } from "./Figure.tsx";

type Settings = z.output<typeof JOB_ROUTES.vaultSettings.answer.schema>;

const GB = 1e9;

export function Overview({ vault }: SectionProps) {
  const { may } = useRights();
  const query = useApi(VAULT_ROUTES.vault, { params: { vault } });
  const settings = useApi(JOB_ROUTES.vaultSettings, { params: { vault } });
  const reach = useApi(PAGE_ROUTES.reach);
  return (
    <Stack gap="lg">
      <Card title={VAULT.facts}>
        <QueryStates query={query}>
          {({ stats, name }) => (
            <Stack>
              <SimpleGrid cols={{ base: 2, sm: 3, md: 4 }}>
                <Figure label={VAULTS.snapshots}>{formatCount(stats.snapshots)}</Figure>
                <Figure label={VAULTS.stored}>{formatBytes(stats.packBytes)}</Figure>
                <Figure label={VAULTS.trash}>{formatCount(stats.trashedSnapshots)}</Figure>
                <Figure label={VAULT.openSessions}>{formatCount(stats.openSessions)}</Figure>
                <Figure label={VAULTS.chunks}>{formatCount(stats.chunks)}</Figure>
                <Figure label={VAULT.blocks}>{formatCount(stats.blocks)}</Figure>
                <Figure label={VAULT.packs}>{formatCount(stats.packs)}</Figure>
                <Figure label={VAULTS.damaged}>{formatCount(stats.damagedBlocks)}</Figure>
              </SimpleGrid>
              <div>
                <Text size="xs" c="dimmed" mb={4}>
                  {VAULT.address}
                </Text>
                <CopyLine value={deviceAddress(reach.data, name)} label={VAULT.address} />
              </div>
            </Stack>
          )}
        </QueryStates>
      </Card>
      <QueryStates query={settings}>
        {(found) => (
          <Room settings={found} vault={vault} name={query.data?.name ?? ""} mayChange={may("owner", vault)} />
        )}
      </QueryStates>
    </Stack>
  );
}

function Room({
  settings,
  vault,
  name,
  mayChange,
}: {
  readonly settings: Settings;
  readonly vault: string;
  readonly name: string;
  readonly mayChange: boolean;
}) {
  const { quota, usage } = settings;
  const share = quota.bytes === null ? undefined : usage.bytes / Math.max(1, quota.bytes);
  return (
    <Card title={VAULT.quota} text={VAULT.quotaText}>
      <Stack>
        <div>
          <Group justify="space-between" mb={4}>
            <Text size="sm">
              {quota.bytes === null
                ? `${formatBytes(usage.bytes)} · ${VAULT.unlimited}`
                : VAULT.used(formatBytes(usage.bytes), formatBytes(quota.bytes))}
            </Text>
            {share !== undefined && <Text size="sm">{formatShare(share)}</Text>}
          </Group>
          {share !== undefined && (
            <Progress
              value={Math.min(100, share * 100)}
              aria-label={VAULT.quota}
              {...(share > 0.9 ? { color: "red" } : {})}
            />
          )}
        </div>
        {mayChange && <RoomForm key={name} settings={settings} vault={vault} name={name} />}
      </Stack>
    </Card>
  );
}

function RoomForm({
  settings,
  vault,
  name,
}: {
  readonly settings: Settings;
  readonly vault: string;
  readonly name: string;
}) {
  const { quota } = settings;
  const [gigabytes, setGigabytes] = useState<number | string>(quota.bytes === null ? "" : quota.bytes / GB);
  const [snapshots, setSnapshots] = useState<number | string>(quota.snapshots ?? "");
  const [newName, setName] = useState(name);
  const keep = useUnsaved([newName, gigabytes, snapshots]);
  const change = useAction(JOB_ROUTES.changeVault, {
    refreshes: [JOB_ROUTES.vaultSettings, VAULT_ROUTES.vault, VAULT_ROUTES.vaults],
    onDone() {
      keep();
      toastDone(VAULT.saved);
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const bytes = gigabytes === "" ? null : Math.round(Number(gigabytes) * GB);
        const body = {
          quota: { bytes, snapshots: snapshots === "" ? null : Number(snapshots) },
          ...(newName.trim() === name ? {} : { name: newName.trim() }),
        };
        change.mutate({ params: { vault }, body });
      }}
    >
      <Group align="flex-end">
        <TextInput
          flex="1 1 200px"
          maw={320}
          label={VAULT.rename}
          value={newName}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
          maxLength={64}
          required
        />
        <NumberInput
          label={VAULT.quotaBytes}
          value={gigabytes}
          onChange={setGigabytes}
          min={0}
          decimalScale={3}
          placeholder={VAULT.noLimit}
          w={140}
        />
        <NumberInput
          label={VAULT.quotaSnapshots}
          value={snapshots}
          onChange={setSnapshots}
          min={0}
          allowDecimal={false}
          placeholder={VAULT.noLimit}
          w={140}
        />
        <Button type="submit" loading={change.isPending}>
          {VAULT.save}
        </Button>
      </Group>
    </form>
  );
}
