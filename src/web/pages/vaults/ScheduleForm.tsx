// When a job runs by itself in this vault.

import { Stack, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { JOB_ROUTES, type ShownSchedule } from "../../../wire/v4/api/job-routes.ts";
import { useAction } from "../../api/use-api.ts";
import { FormEnd } from "../../parts/FormEnd.tsx";
import { toastDone } from "../../parts/toast.tsx";
import { CARE } from "../../strings/vaults.ts";

export function ScheduleForm({
  vault,
  schedule,
  onDone,
}: {
  readonly vault: string;
  readonly schedule: ShownSchedule;
  readonly onDone: () => void;
}) {
  const [cron, setCron] = useState(schedule.cron);
  const [isEnabled, setEnabled] = useState(schedule.isEnabled);
  const save = useAction(JOB_ROUTES.setSchedule, {
    showsError: true,
    refreshes: [JOB_ROUTES.schedules],
    onDone() {
      toastDone(CARE.scheduleSaved);
      onDone();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const { kind, timeZone } = schedule;
        save.mutate({ body: { kind, vault: vault as never, cron: cron.trim(), timeZone, isEnabled } });
      }}
    >
      <Stack>
        <Switch
          label={CARE.enabled}
          checked={isEnabled}
          onChange={({ currentTarget }) => setEnabled(currentTarget.checked)}
        />
        <TextInput
          label={CARE.cron}
          description={schedule.timeZone}
          ff="monospace"
          value={cron}
          onChange={({ currentTarget }) => setCron(currentTarget.value)}
          required
        />
        <FormEnd action={CARE.saveSchedule} work={save} onCancel={onDone} />
      </Stack>
    </form>
  );
}
