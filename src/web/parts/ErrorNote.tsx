// An error as a person should meet it: what happened, what to do next (strings/errors.ts, else the table), and the request's id for whoever reads the server's log.

import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { isAppError } from "../../core/errors.ts";
import { ERROR_WORDS, OTHER_TAB } from "../strings/errors.ts";
import { SHELL } from "../strings/shell.ts";

export function ErrorNote({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const { title, hint, requestId } = wordsOf(error);
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={title} role="alert">
      {hint !== "" && <Text size="sm">{hint}</Text>}
      {(onRetry !== undefined || requestId !== undefined) && (
        <Group mt="sm" gap="md">
          {onRetry !== undefined && (
            <Button size="xs" variant="default" onClick={onRetry}>
              {SHELL.tryAgain}
            </Button>
          )}
          {requestId !== undefined && (
            <Text size="xs" c="dimmed" ff="monospace">
              {SHELL.requestId(requestId)}
            </Text>
          )}
        </Group>
      )}
    </Alert>
  );
}

export function wordsOf(error: unknown): { title: string; hint: string; requestId: string | undefined } {
  if (!isAppError(error)) {
    return {
      title: SHELL.somethingWrong,
      hint: error instanceof Error ? error.message : String(error),
      requestId: undefined,
    };
  }
  const { requestId, holder } = error.context;
  const words = error.code === "vault_busy" && holder === undefined ? OTHER_TAB : ERROR_WORDS[error.code];
  return {
    title: words?.title ?? error.message,
    hint: words?.hint ?? error.hint,
    requestId: typeof requestId === "string" ? requestId : undefined,
  };
}
