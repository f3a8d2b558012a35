// The rules of one policy: how many snapshots to keep, and for how long; or everything.

import { NumberInput, SimpleGrid, Stack, Switch } from "@mantine/core";
import type { Policy } from "../../../wire/v4/api/job-routes.ts";
import { formatCount } from "../../format/numbers.ts";
import { RETENTION } from "../../strings/vaults.ts";

const RULES = ["last", "hourly", "daily", "weekly", "monthly", "yearly"] as const;
const DAY_MS = 86_400_000;
export const HOME_POLICY: Policy = { last: 3, daily: 14, weekly: 8, monthly: 12, yearly: 5 };

export function PolicyFields({
  policy,
  isDisabled,
  onChange,
}: {
  /** null keeps everything. */
  readonly policy: Policy | null;
  readonly isDisabled: boolean;
  readonly onChange: (policy: Policy | null) => void;
}) {
  const set = (change: Policy): void => onChange({ ...policy, ...change });
  return (
    <Stack>
      <Switch
        label={RETENTION.everything}
        checked={policy === null}
        disabled={isDisabled}
        onChange={({ currentTarget }) => onChange(currentTarget.checked ? null : HOME_POLICY)}
      />
      {policy !== null && (
        <SimpleGrid cols={{ base: 2, sm: 4 }}>
          {RULES.map((rule) => (
            <NumberInput
              key={rule}
              label={RETENTION.rules[rule]}
              value={policy[rule] ?? 0}
              onChange={(value) => set({ [rule]: Number(value) || 0 })}
              min={0}
              max={100_000}
              allowDecimal={false}
              disabled={isDisabled}
            />
          ))}
          <NumberInput
            label={RETENTION.within}
            value={Math.round((policy.withinMs ?? 0) / DAY_MS)}
            onChange={(value) => set({ withinMs: (Number(value) || 0) * DAY_MS })}
            min={0}
            max={36_500}
            allowDecimal={false}
            disabled={isDisabled}
          />
        </SimpleGrid>
      )}
    </Stack>
  );
}

/** A policy in a few words. One without a rule keeps everything, as the server sees it. */
export function policyWords(policy: Policy | null): string {
  const { withinMs = 0, tags = [] } = policy ?? {};
  const parts = [
    ...RULES.flatMap((rule) => (policy?.[rule] ? [RETENTION.short[rule](formatCount(policy[rule]))] : [])),
    ...(withinMs > 0 ? [RETENTION.short.within(formatCount(Math.round(withinMs / DAY_MS)))] : []),
    ...(tags.length > 0 ? [RETENTION.short.tags(formatCount(tags.length))] : []),
  ];
  return parts.length === 0 ? RETENTION.short.everything : parts.join(", ");
}
