// What is wrong, the gravest first: a sentence each, and the button that mends it.

import { Anchor, Box, Button, Group, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconAlertTriangle, IconInfoCircle } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import { JOB_KINDS, JOB_ROUTES, type JobKind } from "../../../wire/v4/api/job-routes.ts";
import { type Alert, OVERVIEW_ROUTES } from "../../../wire/v4/api/overview-routes.ts";
import { PLAN_ROUTES } from "../../../wire/v4/api/plan-routes.ts";
import { useRights } from "../../api/session.ts";
import { useAction } from "../../api/use-api.ts";
import { formatCount } from "../../format/numbers.ts";
import { Time } from "../../parts/Time.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { ALERTS } from "../../strings/overview.ts";
import { errorOf } from "../runs/error-words.ts";
import type { Names } from "../runs/names.ts";
import classes from "./overview.module.css";

export function AlertList({ alerts, names }: { readonly alerts: readonly Alert[]; readonly names: Names }) {
  return (
    <Stack component="ul" gap={0} className={classes.alerts} aria-label={ALERTS.title}>
      {alerts.map((alert) => (
        <AlertRow key={alert.id} alert={alert} names={names} />
      ))}
    </Stack>
  );
}

function AlertRow({ alert, names }: { readonly alert: Alert; readonly names: Names }) {
  const rights = useRights();
  const dismiss = useAction(OVERVIEW_ROUTES.dismissAlert, {
    refreshes: [OVERVIEW_ROUTES.overview, OVERVIEW_ROUTES.deviceStates, OVERVIEW_ROUTES.alerts],
  });
  const isGrave = alert.severity === "danger";
  const Icon = isGrave ? IconAlertTriangle : IconInfoCircle;
  return (
    <Box component="li" className={classes.alert} data-severity={alert.severity}>
      <Group gap="sm" wrap="nowrap" align="flex-start" flex="1 1 320px" miw={0}>
        <ThemeIcon variant="light" color={isGrave ? "red" : "yellow"} radius="xl" size={34}>
          <Icon size={19} aria-hidden />
        </ThemeIcon>
        <Box miw={0}>
          <Text fw={500}>{sentenceOf(alert, names)}</Text>
          <Text size="sm" c="dimmed">
            {ALERTS.since} <Time at={alert.since} />
            {alert.vault !== null && alert.device !== null && (
              <>
                {" · "}
                <Anchor component={Link} to={`/devices/${alert.vault}/${alert.device}`} size="sm">
                  {names.device(alert.vault, alert.device)}
                </Anchor>
              </>
            )}
          </Text>
        </Box>
      </Group>
      {rights.may("operator", alert.vault ?? undefined) && (
        <Group gap="xs">
          <Button
            size="compact-md"
            variant="subtle"
            color="gray"
            onClick={() => dismiss.mutate({ params: { id: alert.id } })}
            loading={dismiss.isPending}
          >
            {ALERTS.dismiss}
          </Button>
          <MendButton alert={alert} />
        </Group>
      )}
    </Box>
  );
}

/** Does what mends it, or leads to where that is done. */
function MendButton({ alert }: { readonly alert: Alert }) {
  const navigate = useNavigate();
  const ask = useAction(PLAN_ROUTES.command, { onDone: () => toastDone(ALERTS.asked) });
  const work = useAction(JOB_ROUTES.startJob, {
    refreshes: [JOB_ROUTES.jobs, OVERVIEW_ROUTES.overview],
    onDone: () => toastDone(ALERTS.started),
  });
  const { action, vault, device, plan } = alert;
  const act = (): void => {
    const kind = String(alert.values.job ?? "");
    if (action === "back-up" && vault !== null && device !== null) {
      ask.mutate({ params: { vault, device }, body: { kind: "backup", plan } });
    } else if (action === "run-job" && (JOB_KINDS as readonly string[]).includes(kind)) {
      work.mutate({ body: { kind: kind as JobKind, vault } });
    } else {
      void navigate({ to: placeOf(alert) });
    }
  };
  return (
    <Button size="compact-md" variant="light" onClick={act} loading={ask.isPending || work.isPending}>
      {ALERTS.actions[action]}
    </Button>
  );
}

function placeOf({ action, vault, device, run }: Alert): string {
  if (action === "look-at-run" && run !== null) return `/runs/${vault}/${run}`;
  if (device !== null) return `/devices/${vault}/${device}`;
  if (action === "see-log") return "/runs/log";
  if (action === "renew-certificate") return "/trust";
  return action === "free-space" ? "/vaults" : "/devices";
}

export function sentenceOf({ kind, vault, device, values }: Alert, names: Names): string {
  const job = String(values.job ?? "");
  const known: Readonly<Record<string, string>> = {
    device: vault !== null && device !== null ? names.device(vault, device) : ALERTS.aDevice,
    vault: vault === null ? ALERTS.theServer : names.vault(vault),
    job: (ALERTS.jobs as Readonly<Record<string, string>>)[job] ?? job,
    error: errorOf(String(values.code ?? "internal")).message,
  };
  return ALERTS.kinds[kind].replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return known[name] ?? (typeof value === "number" ? formatCount(value) : String(value ?? ""));
  });
}
