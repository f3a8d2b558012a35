// Chooses the snapshot that the present one is compared with: an earlier one of the same device, unless somebody wants another.

import { Button, Group, NativeSelect, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { SnapshotId } from "../../../core/ids.ts";
import type { SnapshotView } from "../../engine/reader-api.ts";
import { formatTime } from "../../format/numbers.ts";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { FILES } from "../../strings/files.ts";
import { SHELL } from "../../strings/shell.ts";

export function CompareDialogue({
  current,
  snapshots,
  isOpen,
  onClose,
  onStart,
}: {
  readonly current: SnapshotView;
  readonly snapshots: readonly SnapshotView[];
  readonly isOpen: boolean;
  onClose(): void;
  onStart(other: SnapshotView): void;
}) {
  const others = snapshots.filter(({ id }) => id !== current.id);
  const usual =
    others.find(({ device, receivedAt }) => device === current.device && receivedAt < current.receivedAt) ?? others[0];
  const [chosen, setChosen] = useState<SnapshotId>();
  const other = others.find(({ id }) => id === chosen) ?? usual;
  return (
    <Dialogue opened={isOpen} onClose={onClose} title={FILES.compareTitle} centered isQuestion>
      <Stack gap="md">
        <Text size="sm">{FILES.compareText}</Text>
        <NativeSelect
          label={FILES.compareWith}
          value={other?.id ?? ""}
          onChange={(event) => setChosen(event.currentTarget.value as SnapshotId)}
          data={others.map(({ id, receivedAt, deviceName }) => ({
            value: id,
            label: `${formatTime(receivedAt)} · ${deviceName}`,
          }))}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {SHELL.cancel}
          </Button>
          <Button disabled={!other} onClick={() => other && onStart(other)}>
            {FILES.compareStart}
          </Button>
        </Group>
      </Stack>
    </Dialogue>
  );
}
