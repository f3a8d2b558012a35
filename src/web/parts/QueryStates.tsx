// What every list and every figure goes through: it loads, it fails, it is empty, it is there. A failure of what is shown already
// leaves it standing: the badge in the header says that the server is away.

import { Center, Paper, Skeleton, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ComponentType, ReactNode } from "react";
import type { AppError } from "../../core/errors.ts";
import { SHELL } from "../strings/shell.ts";
import { ErrorNote } from "./ErrorNote.tsx";

export function QueryStates<T>({
  query,
  skeleton,
  isEmpty,
  empty,
  children,
}: {
  readonly query: UseQueryResult<T, AppError>;
  /** In place of the usual grey lines. */
  readonly skeleton?: ReactNode;
  readonly isEmpty?: (data: T) => boolean;
  readonly empty?: ReactNode;
  readonly children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) {
    return isEmpty?.(query.data) && empty !== undefined ? empty : children(query.data);
  }
  if (query.isError) return <ErrorNote error={query.error} onRetry={() => void query.refetch()} />;
  return skeleton ?? <Lines />;
}

export function Lines({ count = 3 }: { readonly count?: number }) {
  return (
    <Stack gap="sm" aria-busy="true" role="status" aria-label={SHELL.loading}>
      {Array.from({ length: count }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: all lines are the same
        <Skeleton key={row} height={44} radius="md" />
      ))}
    </Stack>
  );
}

/** Says what would stand here, and what to do to have it. */
export function EmptyNote({
  icon: Icon,
  title,
  text,
  action,
  isInCard = false,
}: {
  readonly icon: ComponentType<{ size?: number; stroke?: number; "aria-hidden"?: boolean }>;
  readonly title: string;
  readonly text?: string;
  readonly action?: ReactNode;
  /** The card is the frame. */
  readonly isInCard?: boolean;
}) {
  return (
    <Paper withBorder={!isInCard} radius="lg" p={isInCard ? "sm" : "xl"}>
      <Center>
        <Stack align="center" gap="sm" maw={460} py="lg">
          <ThemeIcon size={56} radius="xl" variant="light">
            <Icon size={28} stroke={1.6} aria-hidden />
          </ThemeIcon>
          <Title order={3} size="h4" ta="center">
            {title}
          </Title>
          {text !== undefined && (
            <Text c="dimmed" ta="center" size="sm">
              {text}
            </Text>
          )}
          {action}
        </Stack>
      </Center>
    </Paper>
  );
}
