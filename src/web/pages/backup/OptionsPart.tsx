// How it is to be backed up, and the button that starts it.

import { Button, Group, Input, SegmentedControl, SimpleGrid, Stack, Switch, Text, TextInput } from "@mantine/core";
import { IconShieldLock } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { backups } from "../../backup/controller.ts";
import type { BrowserDevice } from "../../backup/device-store.ts";
import { Card } from "../../parts/Card.tsx";
import { BACKUP } from "../../strings/backup.ts";
import { useLookAgain } from "./use-backup.ts";

const WORDS = BACKUP.options;
const NAME_LENGTH = 200;

export function OptionsPart({ device, hasItems }: { readonly device: BrowserDevice; readonly hasItems: boolean }) {
  const lookAgain = useLookAgain();
  const [plan, setPlan] = useState<string>(WORDS.planDefault);
  const [level, setLevel] = useState("1");
  const [force, setForce] = useState(false);
  const start = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    await backups.start({ vault: device.vault, plan: plan.trim(), level: Number(level), force });
    await lookAgain();
  };
  return (
    <Card title={WORDS.title}>
      <form onSubmit={(event) => void start(event)}>
        <Stack gap="md">
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput
              label={WORDS.plan}
              description={WORDS.planHelp}
              value={plan}
              maxLength={NAME_LENGTH}
              onChange={({ currentTarget }) => setPlan(currentTarget.value)}
            />
            <Input.Wrapper label={WORDS.compression} description={WORDS.compressionHelp}>
              <SegmentedControl
                aria-label={WORDS.compression}
                mt={4}
                fullWidth
                value={level}
                onChange={setLevel}
                data={WORDS.levels.map((one) => ({ ...one }))}
              />
            </Input.Wrapper>
          </SimpleGrid>
          <Switch
            label={WORDS.force}
            description={WORDS.forceHelp}
            checked={force}
            onChange={({ currentTarget }) => setForce(currentTarget.checked)}
          />
          <Group gap="sm">
            <Button
              type="submit"
              size="md"
              disabled={!hasItems || plan.trim() === ""}
              leftSection={<IconShieldLock size={20} aria-hidden />}
            >
              {WORDS.start}
            </Button>
            {!hasItems && (
              <Text size="sm" c="dimmed">
                {WORDS.nothing}
              </Text>
            )}
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
