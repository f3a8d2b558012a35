// The name of the product with its sign.

import { Anchor, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { SHELL } from "../strings/shell.ts";

export function Brand({ isShort = false }: { readonly isShort?: boolean }) {
  return (
    <Anchor component={Link} to="/" underline="never" c="inherit" aria-label={SHELL.product}>
      <Group gap={10} wrap="nowrap">
        <img src="/icon.svg" width={28} height={28} alt="" />
        {!isShort && (
          <Text fw={700} size="lg" lh={1} component="span">
            {SHELL.product}
          </Text>
        )}
      </Group>
    </Anchor>
  );
}
