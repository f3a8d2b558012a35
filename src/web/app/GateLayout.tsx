// Pages that stand alone, without the shell: signing in, choosing a password, unsafe connections.

import { Box, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { SHELL } from "../strings/shell.ts";
import classes from "./GateLayout.module.css";
import { ThemeToggle } from "./ThemeToggle.tsx";

export function GateLayout({
  title,
  lead,
  footer,
  isWide = false,
  children,
}: {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly footer?: ReactNode;
  readonly isWide?: boolean;
  readonly children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · ${SHELL.product}`;
  }, [title]);
  return (
    <Box className={classes.gate} component="main">
      <Box className={classes.corner}>
        <ThemeToggle />
      </Box>
      <Stack gap="lg" w="100%" maw={isWide ? 720 : 440}>
        <Group gap={12} justify="center">
          <img src="/icon.svg" width={40} height={40} alt="" />
          <Text fw={700} size="xl" component="span">
            {SHELL.product}
          </Text>
        </Group>
        <Paper withBorder radius="lg" p={{ base: "lg", xs: "xl" }} shadow="sm">
          <Stack gap="md">
            <div>
              <Title order={1} size="h3">
                {title}
              </Title>
              {lead !== undefined && (
                <Text c="dimmed" size="sm" mt={4}>
                  {lead}
                </Text>
              )}
            </div>
            {children}
          </Stack>
        </Paper>
        {footer !== undefined && (
          <Text c="dimmed" size="sm" ta="center" component="div">
            {footer}
          </Text>
        )}
      </Stack>
    </Box>
  );
}
