// A panel with a heading: what pages are made of.

import { Box, Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

export function Card({
  title,
  text,
  actions,
  isFlush = false,
  children,
}: {
  readonly title?: string;
  readonly text?: ReactNode;
  readonly actions?: ReactNode;
  /** For tables that reach the edges. */
  readonly isFlush?: boolean;
  readonly children?: ReactNode;
}) {
  const hasHead = title !== undefined || actions !== undefined;
  return (
    <Paper component="section" withBorder radius="lg" p={isFlush ? 0 : "lg"} {...(title && { "aria-label": title })}>
      <Stack gap="md">
        {hasHead && (
          <Group justify="space-between" align="flex-start" {...(isFlush && { px: "lg", pt: "lg" })}>
            <Box flex="1 1 240px" miw={0}>
              {title !== undefined && (
                <Title order={2} size="h4">
                  {title}
                </Title>
              )}
              {text !== undefined && (
                <Text c="dimmed" size="sm" mt={2} component="div">
                  {text}
                </Text>
              )}
            </Box>
            {actions !== undefined && <Group gap="xs">{actions}</Group>}
          </Group>
        )}
        {children}
      </Stack>
    </Paper>
  );
}
