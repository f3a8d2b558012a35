// A list of things without bullets: what each is on the left, what can be done with it on the right.

import { Group, Stack, Text } from "@mantine/core";
import type { ComponentType, ReactNode } from "react";

type Icon = ComponentType<{ size?: number; stroke?: number; "aria-hidden"?: boolean }>;

export function PlainList({ children }: { readonly children: ReactNode }) {
  return (
    <Stack gap="md" component="ul" p={0} m={0} style={{ listStyle: "none" }}>
      {children}
    </Stack>
  );
}

export function PlainRow({
  icon: Icon,
  title,
  badges,
  detail,
  actions,
  children,
}: {
  readonly icon?: Icon;
  readonly title: ReactNode;
  /** Beside the title. */
  readonly badges?: ReactNode;
  /** In small print below it. */
  readonly detail?: ReactNode;
  readonly actions?: ReactNode;
  /** Below the small print. */
  readonly children?: ReactNode;
}) {
  return (
    <Group component="li" justify="space-between" gap="sm">
      <Group gap="sm" wrap="nowrap" align="flex-start" miw={0} flex="1 1 180px">
        {Icon !== undefined && <Icon size={24} stroke={1.6} aria-hidden />}
        <div style={{ minWidth: 0 }}>
          <Group gap={6}>
            <Text size="sm" fw={500} style={{ overflowWrap: "anywhere" }}>
              {title}
            </Text>
            {badges}
          </Group>
          {detail !== undefined && (
            <Text size="xs" c="dimmed" component="div">
              {detail}
            </Text>
          )}
          {children}
        </div>
      </Group>
      {actions !== undefined && <Group gap="xs">{actions}</Group>}
    </Group>
  );
}
