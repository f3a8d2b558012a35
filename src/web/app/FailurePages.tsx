// When an address leads nowhere, and when a page has stumbled over itself.

import { Button, Center, Code, Group, Stack, Text, Title } from "@mantine/core";
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { SHELL } from "../strings/shell.ts";

/** A part of the page that was not needed before could not be had. */
export class PartMissing extends Error {
  constructor(cause: unknown) {
    super(`A part of the page could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
const AGAIN_MS = 3000;

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

export function BrokenPage(props: ErrorComponentProps) {
  return props.error instanceof PartMissing ? <NotLoaded {...props} /> : <Broken {...props} />;
}

function Broken({ error, reset }: ErrorComponentProps) {
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

/** Mostly because the server is away. Browsers do not ask twice for a part, so the tab is loaded anew as soon as the server is back; where a backup or a restore runs in it they ask first. */
function NotLoaded(props: ErrorComponentProps) {
  const [isAway, setAway] = useState<boolean>();
  useEffect(() => {
    if (isAway === false) return;
    const look = async (): Promise<void> => {
      const answer = await fetch("/health/live", { cache: "no-store" }).catch(() => undefined);
      if (isAway === undefined) setAway(answer?.ok !== true);
      else if (answer?.ok) location.reload();
    };
    if (isAway === undefined) void look();
    const timer = setInterval(() => void look(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [isAway]);
  if (isAway === undefined) return null;
  if (!isAway) return <Broken {...props} />;
  return (
    <Center mih="60vh" p="md">
      <Stack align="center" gap="sm" maw={480} role="alert">
        <Title order={1} size="h3" ta="center">
          {SHELL.unreachable}
        </Title>
        <Text c="dimmed" ta="center">
          {SHELL.unreachableHelp}
        </Text>
        <Button variant="default" onClick={() => location.reload()}>
          {SHELL.tryAgain}
        </Button>
      </Stack>
    </Center>
  );
}
