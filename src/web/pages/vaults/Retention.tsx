// What a vault keeps: rules for all its plans and for single ones, what they would do, and how long the trash holds what they removed.

import { Button, Group, NumberInput, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { z } from "zod";
import { JOB_ROUTES, type Policy } from "../../../wire/v4/api/job-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { Card } from "../../parts/Card.tsx";
import { ErrorNote } from "../../parts/ErrorNote.tsx";
import { QueryStates } from "../../parts/QueryStates.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { useUnsaved } from "../../parts/use-unsaved.ts";
import { RETENTION } from "../../strings/vaults.ts";
import { useOpenVault } from "../../unlock/vault-store.ts";
import { usePlanNames } from "../runs/plan-names.ts";
import type { SectionProps } from "./detail.tsx";
import { PlanRules } from "./PlanRules.tsx";
import { HOME_POLICY, PolicyFields } from "./PolicyFields.tsx";
import { WouldKeep } from "./WouldKeep.tsx";

type Settings = z.output<typeof JOB_ROUTES.vaultSettings.answer.schema>;

const PRESETS: Readonly<Record<keyof typeof RETENTION.presetNames, Policy | null>> = {
  home: HOME_POLICY,
  office: { last: 10, hourly: 24, daily: 30, weekly: 12, monthly: 24, yearly: 10 },
  all: null,
};

export function Retention({ vault }: SectionProps) {
  const settings = useApi(JOB_ROUTES.vaultSettings, { params: { vault } });
  return <QueryStates query={settings}>{(found) => <Rules vault={vault} settings={found} />}</QueryStates>;
}

function Rules({ vault, settings }: { readonly vault: string; readonly settings: Settings }) {
  const { may } = useRights();
  const { retention } = settings;
  const [policy, setPolicy] = useState<Policy | null>(retention.byDefault);
  const [trashDays, setTrashDays] = useState(settings.trashDays);
  const [byPlan, setByPlan] = useState(retention.byPlan);
  // A plan that somebody names here may have no snapshot yet that tells its name.
  const [typed, setTyped] = useState<ReadonlyMap<string, string>>(new Map());
  const isOpen = useOpenVault(vault) !== undefined;
  const names = new Map([...usePlanNames(vault), ...(isOpen ? typed : [])]);
  const asked = { ...retention, byDefault: policy, byPlan };
  const keep = useUnsaved({ policy, byPlan, trashDays });
  const preview = useAction(JOB_ROUTES.previewRetention, { showsError: true });
  const save = useAction(JOB_ROUTES.changeVault, {
    refreshes: [JOB_ROUTES.vaultSettings],
    onDone() {
      keep();
      toastDone(RETENTION.saved);
    },
  });
  const isOwner = may("owner", vault);
  return (
    <Stack gap="lg">
      <Card
        title={RETENTION.title}
        text={isOwner ? RETENTION.text : `${RETENTION.text} ${RETENTION.onlyOwner}`}
        actions={
          isOwner && (
            <Group gap={6}>
              <Text size="sm" c="dimmed">
                {RETENTION.presets}
              </Text>
              {(Object.keys(PRESETS) as (keyof typeof PRESETS)[]).map((name) => (
                <Button key={name} size="compact-sm" variant="default" onClick={() => setPolicy(PRESETS[name])}>
                  {RETENTION.presetNames[name]}
                </Button>
              ))}
            </Group>
          )
        }
      >
        <Stack>
          <PolicyFields policy={policy} isDisabled={!isOwner} onChange={setPolicy} />
          <NumberInput
            label={RETENTION.trashDays}
            description={RETENTION.trashHelp}
            value={trashDays}
            onChange={(value) => setTrashDays(Number(value) || 0)}
            min={0}
            max={3650}
            allowDecimal={false}
            disabled={!isOwner}
            maw={320}
          />
        </Stack>
      </Card>
      <PlanRules
        vault={vault}
        byPlan={byPlan}
        isOwner={isOwner}
        names={names}
        onChange={setByPlan}
        onNamed={(token, name) => setTyped((before) => new Map([...before, [token, name]]))}
      />
      <Stack gap="sm">
        <Group justify="flex-end">
          <Button
            variant="default"
            loading={preview.isPending}
            onClick={() => preview.mutate({ params: { vault }, body: { retention: asked } })}
          >
            {RETENTION.preview}
          </Button>
          {isOwner && (
            <Button
              loading={save.isPending}
              onClick={() => save.mutate({ params: { vault }, body: { retention: asked, trashDays } })}
            >
              {RETENTION.save}
            </Button>
          )}
        </Group>
        {preview.isError && <ErrorNote error={preview.error} />}
      </Stack>
      {preview.data !== undefined && (
        <Card title={RETENTION.preview} isFlush>
          <WouldKeep vault={vault} items={preview.data.items} names={names} />
        </Card>
      )}
    </Stack>
  );
}
