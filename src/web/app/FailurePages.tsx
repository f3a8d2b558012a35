// When an address leads nowhere, and when a page has stumbled over itself.

import { Button, Center, Code, Group, Stack, Text, Title } from "@mantine/core";
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { SHELL } from "../strings/shell.ts";

export function LostPage() {
  return (
    <Center mih="60vh">
      <Stack align="center" gap="sm">
        <Title order={1} size="h2">
          {SHELL.notFound}
        </Title>
        <Text c="dimmed">{SHELL.notFoundHelp}</Text>
        <Button component={Link} to="/">
          {SHELL.goHome}
        </Button>
      </Stack>
    </Center>
  );
}

export function BrokenPage({ error, reset }: ErrorComponentProps) {
  return (
    <Center mih="60vh" p="md">
      <Stack gap="sm" maw={640} role="alert">
        <Title order={1} size="h2">
          {SHELL.broken}
        </Title>
        <Text c="dimmed">{SHELL.brokenHelp}</Text>
        <Code block>{error instanceof Error ? `${error.name}: ${error.message}` : String(error)}</Code>
        <Group>
          <Button onClick={() => location.reload()}>{SHELL.reload}</Button>
          <Button variant="default" onClick={reset}>
            {SHELL.tryAgain}
          </Button>
        </Group>
      </Stack>
    </Center>
  );
}
