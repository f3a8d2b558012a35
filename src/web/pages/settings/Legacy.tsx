// Clients of CyberBackup 3: how they are let in, and where the move is described.

import { Stack, Text } from "@mantine/core";
import { Card } from "../../parts/Card.tsx";
import { CopyLine } from "../../parts/CopyLine.tsx";
import { LEGACY, SETTINGS } from "../../strings/settings.ts";

const COMMANDS = [
  [LEGACY.start, "cyberbackup serve --gateway --allow-network"],
  [LEGACY.clients, "cyberbackup gateway clients"],
  [LEGACY.move, "cyberbackup v3 import --help"],
] as const;

export function Legacy() {
  return (
    <Card title={SETTINGS.sections.legacy} text={LEGACY.text}>
      <Stack>
        {COMMANDS.map(([label, command]) => (
          <div key={command}>
            <Text size="sm" fw={500} mb={4}>
              {label}
            </Text>
            <CopyLine value={command} label={label} />
          </div>
        ))}
        <Text size="sm" c="dimmed">
          {LEGACY.more}
        </Text>
      </Stack>
    </Card>
  );
}
