// Which runs are shown. It stands in the address, so that a filtered list can be kept and sent.

import { Button, Group, NativeSelect } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { OVERVIEW_ROUTES } from "../../../wire/v4/api/overview-routes.ts";
import { RUN_KINDS, RUN_STATES, RUN_TRIGGERS } from "../../../wire/v4/api/run-routes.ts";
import { VAULT_ROUTES } from "../../../wire/v4/api/vault-routes.ts";
import { useApi } from "../../api/use-api.ts";
import { RUNS } from "../../strings/runs.ts";

const FIELDS = ["vault", "device", "state", "kind", "trigger", "since", "from", "to"] as const;
export type Filters = { readonly [Name in (typeof FIELDS)[number]]?: string };

const DAY_MS = 86_400_000;
const PERIODS = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS } as const;

export function useFilters(): [Filters, (change: Filters) => void, () => void] {
  const search: Readonly<Record<string, unknown>> = useSearch({ strict: false });
  const navigate = useNavigate();
  const filters = Object.fromEntries(
    FIELDS.flatMap((name) => {
      const value = search[name];
      return typeof value === "string" || typeof value === "number" ? [[name, String(value)]] : [];
    }),
  ) as Filters;
  const show = (wanted: Filters): void => {
    const given = Object.entries(wanted).filter(([, value]) => value !== undefined && value !== "");
    void navigate({ to: "/runs", search: Object.fromEntries(given) as never, replace: true });
  };
  return [filters, (change) => show({ ...filters, ...change }), () => show({})];
}

/** As the server is asked. The present is rounded, so that an answer is good for more than a moment. */
export function queryOf({ since, from, to, ...rest }: Filters, now: number): Record<string, string | number> {
  const periodMs = PERIODS[since as keyof typeof PERIODS];
  const rounded = Math.floor(now / 60_000) * 60_000;
  return {
    ...rest,
    ...(periodMs === undefined ? {} : { from: rounded - periodMs }),
    ...(from === undefined ? {} : { from: Number(from) }),
    ...(to === undefined ? {} : { to: Number(to) }),
  };
}

/** `children`: what is done with the runs that are shown. */
export function RunFilters({ children }: { readonly children: ReactNode }) {
  const [filters, change, clear] = useFilters();
  const vaults = useApi(VAULT_ROUTES.vaults).data?.vaults ?? [];
  const devices = (useApi(OVERVIEW_ROUTES.deviceStates, { query: {} }).data?.items ?? []).filter(
    ({ vault }) => filters.vault === undefined || vault === filters.vault,
  );
  const any = { value: "", label: RUNS.any };
  const select = (name: keyof Filters, label: string, data: readonly { value: string; label: string }[]) => (
    <NativeSelect
      label={label}
      value={filters[name] ?? ""}
      data={[any, ...data]}
      onChange={({ currentTarget: { value } }) =>
        change({ [name]: value, ...(name === "since" ? { from: "", to: "" } : {}) })
      }
      flex="1 1 120px"
      miw={110}
    />
  );
  const words = (of: Readonly<Record<string, string>>, values: readonly string[]) =>
    values.map((value) => ({ value, label: of[value] ?? value }));
  return (
    <Group gap="sm" align="flex-end" role="group" aria-label={RUNS.filters}>
      {vaults.length > 1 &&
        select(
          "vault",
          RUNS.vault,
          vaults.map(({ id, name }) => ({ value: id, label: name })),
        )}
      {select(
        "device",
        RUNS.device,
        devices.map(({ device, name }) => ({ value: device, label: name })),
      )}
      {select("state", RUNS.state, words(RUNS.states, RUN_STATES))}
      {select("kind", RUNS.kind, words(RUNS.kinds, RUN_KINDS))}
      {select("trigger", RUNS.trigger, words(RUNS.triggers, RUN_TRIGGERS))}
      {select("since", RUNS.since, words(RUNS.periods, ["day", "week", "month"]))}
      {Object.keys(filters).length > 0 && (
        <Button variant="subtle" onClick={clear}>
          {RUNS.clear}
        </Button>
      )}
      {children}
    </Group>
  );
}
