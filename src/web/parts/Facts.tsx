// Facts about one thing, each below its name, in as many columns as there is room for.

import { SimpleGrid, Text } from "@mantine/core";
import type { ReactNode } from "react";

export function Facts({ rows }: { readonly rows: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 4 }} spacing="lg" component="dl" m={0}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <Text size="xs" c="dimmed" component="dt">
            {name}
          </Text>
          <Text fw={600} component="dd" m={0} style={{ fontVariantNumeric: "tabular-nums", overflowWrap: "anywhere" }}>
            {value}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  );
}
