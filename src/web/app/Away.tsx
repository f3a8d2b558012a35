// Before anything is known the server does not answer. Tries again by itself.

import { Button, Center, Loader, Stack, Text, Title } from "@mantine/core";
import { useEffect } from "react";
import { isAppError } from "../../core/errors.ts";
import { ErrorNote } from "../parts/ErrorNote.tsx";
import { SHELL } from "../strings/shell.ts";

const AGAIN_MS = 3000;

export function Away({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  useEffect(() => {
    const timer = setInterval(onRetry, AGAIN_MS);
    return () => clearInterval(timer);
  }, [onRetry]);
  const isUnreachable = isAppError(error, "server_unreachable");
  return (
    <Center mih="100vh" p="md">
      <Stack align="center" gap="sm" maw={480}>
        <Loader type="dots" role="img" aria-label={SHELL.loading} />
        <Title order={1} size="h3" ta="center">
          {SHELL.unreachable}
        </Title>
        {isUnreachable ? (
          <Text c="dimmed" ta="center">
            {SHELL.unreachableHelp}
          </Text>
        ) : (
          <ErrorNote error={error} />
        )}
        <Button variant="default" onClick={onRetry}>
          {SHELL.tryAgain}
        </Button>
      </Stack>
    </Center>
  );
}
