// Back up from this browser: nothing to install. The engine runs in workers of this tab (src/web/backup/).

import { Anchor, Group, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import type { VaultId } from "../../../core/ids.ts";
import { backups } from "../../backup/controller.ts";
import type { BackupJob } from "../../backup/device-store.ts";
import { PageFrame } from "../../parts/PageFrame.tsx";
import { Lines } from "../../parts/QueryStates.tsx";
import { toastError } from "../../parts/toast.tsx";
import { BACKUP } from "../../strings/backup.ts";
import { VaultLock } from "../../unlock/LockMenu.tsx";
import { ChoosePart } from "./ChoosePart.tsx";
import { DevicePart, EnrolCard } from "./DevicePart.tsx";
import { HistoryPart } from "./HistoryPart.tsx";
import { LogPart } from "./LogPart.tsx";
import { OptionsPart } from "./OptionsPart.tsx";
import { ResumePart } from "./ResumePart.tsx";
import { RunPart } from "./RunPart.tsx";
import { type Stored, useBackups, useStored } from "./use-backup.ts";

export function Page() {
  const { data } = useStored();
  return (
    <PageFrame title={BACKUP.title} lead={BACKUP.lead} actions={<VaultLock />}>
      {data === undefined ? <Lines /> : <Content stored={data} />}
    </PageFrame>
  );
}

function Content({ stored }: { readonly stored: Stored }) {
  const { items, run, log } = useBackups();
  const [wanted, setWanted] = useState<VaultId | undefined>(run?.vault);
  const device = stored.devices.find(({ vault }) => vault === wanted) ?? stored.devices[0];
  // The same list as long as there is nothing new: what shows it is not drawn again with every figure of a run.
  const runs = useMemo(() => stored.runs.filter(({ vault }) => vault === device?.vault), [stored.runs, device]);
  if (!device) return <EnrolCard onDone={setWanted} />;
  const isRunning = run?.state === "running";
  const jobs = stored.jobs.filter(({ vault }) => vault === device.vault);
  // What is shown as a run is not told of twice: the list of jobs is a little older than the run.
  const cutOff = run ? undefined : jobs.find(({ open }) => open !== undefined);
  return (
    <>
      {cutOff && <ResumePart key={`${cutOff.vault} ${cutOff.plan}`} job={cutOff} />}
      <DevicePart devices={stored.devices} current={device} isLocked={isRunning} onChange={setWanted} />
      {run && <RunPart run={run} />}
      {run && <LogPart lines={log} />}
      {!isRunning && (
        <>
          <ChoosePart items={items} isLocked={false} />
          {items.length === 0 && <AgainPart jobs={jobs} />}
          <OptionsPart device={device} hasItems={items.length > 0} />
        </>
      )}
      <HistoryPart runs={runs} />
    </>
  );
}

/** What was backed up before can be chosen by one click, where the browser lets it be kept. */
function AgainPart({ jobs }: { readonly jobs: readonly BackupJob[] }) {
  const again = jobs.filter(({ kept, names }) => kept.length > 0 && kept.length === names.length);
  if (again.length === 0) return null;
  const choose = (job: BackupJob): void => void backups.choose(job, true).catch(toastError);
  return (
    <Group gap="md">
      <Text size="sm" c="dimmed">
        {BACKUP.choose.againHelp}
      </Text>
      {again.map((job) => (
        <Anchor key={job.plan} component="button" type="button" size="sm" onClick={() => choose(job)}>
          {BACKUP.choose.again(job.names.join(", "))}
        </Anchor>
      ))}
    </Group>
  );
}
