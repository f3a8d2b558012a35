// Before a restore: what will be written, what happens to files that are there already, and where.

import { Alert, Button, Group, Radio, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Dialogue } from "../../parts/Dialogue.tsx";
import { FILES } from "../../strings/files.ts";
import { SHELL } from "../../strings/shell.ts";
import { canChooseFolders } from "./file-access.ts";

export function RestoreDialogue({
  what,
  isOpen,
  onClose,
  onStart,
}: {
  /** In words. */
  readonly what: string;
  readonly isOpen: boolean;
  onClose(): void;
  onStart(existing: "keep" | "replace"): void;
}) {
  const [existing, setExisting] = useState<"keep" | "replace">("keep");
  const canWrite = canChooseFolders();
  return (
    <Dialogue opened={isOpen} onClose={onClose} title={FILES.restoreTitle} centered isQuestion>
      <Stack gap="md">
        <Text size="sm">{FILES.restoreText(what)}</Text>
        {canWrite ? (
          <Radio.Group
            label={FILES.restoreExisting}
            value={existing}
            onChange={(value) => setExisting(value as typeof existing)}
          >
            <Stack gap="xs" mt="xs">
              <Radio value="keep" label={FILES.restoreKeep} />
              <Radio value="replace" label={FILES.restoreReplace} />
            </Stack>
          </Radio.Group>
        ) : (
          <Alert color="orange">{FILES.restoreMissing}</Alert>
        )}
        <Text size="xs" c="dimmed">
          {FILES.restoreNote}
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {SHELL.cancel}
          </Button>
          <Button disabled={!canWrite} onClick={() => onStart(existing)}>
            {FILES.restoreChoose}
          </Button>
        </Group>
      </Stack>
    </Dialogue>
  );
}
