// The frame of a page: where one is, its title, what can be done. It names the document and takes the focus when one arrives, so that
// a screen reader says where one is.

import { Anchor, Box, Breadcrumbs, Group, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import { SHELL } from "../strings/shell.ts";

let hasArrived = false;

export type Crumb = { readonly label: string; readonly to: string };

export function PageFrame({
  title,
  lead,
  crumbs = [],
  actions,
  isWide = false,
  children,
}: {
  readonly title: string;
  readonly lead?: ReactNode;
  /** Where this page hangs: from the outermost to the one above it. */
  readonly crumbs?: readonly Crumb[];
  readonly actions?: ReactNode;
  /** For lists and charts that use every pixel there is. */
  readonly isWide?: boolean;
  readonly children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${SHELL.product}`;
  }, [title]);
  useEffect(() => {
    // The first page begins where pages begin: at the skip link.
    if (hasArrived) heading.current?.focus({ preventScroll: true });
    hasArrived = true;
  }, []);
  return (
    <Box maw={isWide ? undefined : 1180} mx="auto" w="100%">
      <Stack gap="lg">
        <Stack gap={4}>
          {crumbs.length > 0 && (
            <Breadcrumbs separator="›" aria-label="Breadcrumb" component="nav">
              {crumbs.map(({ label, to }) => (
                <Anchor key={to + label} component={Link} to={to} size="sm">
                  {label}
                </Anchor>
              ))}
              <Text size="sm" c="dimmed" aria-current="page">
                {title}
              </Text>
            </Breadcrumbs>
          )}
          <Group justify="space-between" align="flex-start" gap="sm">
            <Box flex="1 1 280px" miw={0}>
              <Title order={1} size="h2" ref={heading} tabIndex={-1} style={{ outline: "none" }}>
                {title}
              </Title>
              {lead !== undefined && (
                <Text c="dimmed" component="div" mt={2}>
                  {lead}
                </Text>
              )}
            </Box>
            {actions !== undefined && <Group gap="sm">{actions}</Group>}
          </Group>
        </Stack>
        {children}
      </Stack>
    </Box>
  );
}
