// A line to be copied as it is: a command, a code, a fingerprint.

import { ActionIcon, Code, CopyButton, Group, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { SHELL } from "../strings/shell.ts";

export function CopyLine({ value, label }: { readonly value: string; readonly label?: string }) {
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start">
      <Code block flex={1} miw={0} style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }} aria-label={label}>
        {value}
      </Code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? SHELL.copied : SHELL.copy}>
            <ActionIcon variant="default" size="lg" onClick={copy} aria-label={copied ? SHELL.copied : SHELL.copy}>
              {copied ? <IconCheck size={18} aria-hidden /> : <IconCopy size={18} aria-hidden />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}
