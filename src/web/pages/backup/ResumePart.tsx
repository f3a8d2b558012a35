// A backup that a reload or a closed tab cut off: it goes on by itself when the browser still lets its folders be read and it was not
// long ago; otherwise a button asks.

import { Alert, Button, Group, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useEffect } from "react";
import { backups } from "../../backup/controller.ts";
import type { BackupJob } from "../../backup/device-store.ts";
import { toastError } from "../../parts/toast.tsx";
import { BACKUP } from "../../strings/backup.ts";
import { useLookAgain } from "./use-backup.ts";

const WORDS = BACKUP.resume;
/** Later somebody may have other plans. */
const BY_ITSELF_MS = 10 * 60_000;

export function ResumePart({ job }: { readonly job: BackupJob }) {
  const lookAgain = useLookAgain();
  const { vault, plan, level, kept, names, open } = job;
  const isWhole = kept.length === names.length;

  const goOn = async (isByClick: boolean): Promise<void> => {
    if (backups.isRunning || !(await backups.choose(job, isByClick))) return;
    await backups.start({ vault, plan, level, force: false });
    await lookAgain();
  };
  const leave = async (): Promise<void> => {
    const store = await backups.store();
    await store.changeJob(vault, plan, ({ open: _, ...rest }) => rest);
    await lookAgain();
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the page finds it
  useEffect(() => {
    const isRecent = Date.now() - (open?.startedAt ?? 0) < BY_ITSELF_MS;
    if (!isWhole || !isRecent || !backups.mayResume(`${vault} ${plan}`)) return;
    goOn(false).catch(toastError);
  }, []);

  return (
    <Alert color="orange" variant="light" icon={<IconRefresh aria-hidden />} title={WORDS.title}>
      <Text size="sm">{isWhole ? WORDS.text(plan) : WORDS.chooseAgain(names.join(", "))}</Text>
      <Group mt="sm" gap="sm">
        {isWhole && (
          <Button size="xs" onClick={() => void goOn(true).catch(toastError)}>
            {WORDS.button}
          </Button>
        )}
        <Button size="xs" variant="default" onClick={() => void leave().catch(toastError)}>
          {WORDS.drop}
        </Button>
      </Group>
    </Alert>
  );
}
