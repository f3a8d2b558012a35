// Light or dark, and the colour.

import {
  ColorSwatch,
  Group,
  SegmentedControl,
  Stack,
  Text,
  UnstyledButton,
  useMantineColorScheme,
  useMantineTheme,
} from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { setAccent, useAccent } from "../../app/appearance.ts";
import { ACCENTS } from "../../app/theme.ts";
import { Card } from "../../parts/Card.tsx";
import { SETTINGS } from "../../strings/settings.ts";

export function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const accent = useAccent();
  const { colors } = useMantineTheme();
  return (
    <Card title={SETTINGS.sections.appearance} text={SETTINGS.appearanceText}>
      <Stack gap="lg">
        <div>
          <Text fw={500} size="sm" mb={6} id="scheme-label">
            {SETTINGS.scheme}
          </Text>
          <SegmentedControl
            aria-labelledby="scheme-label"
            value={colorScheme}
            onChange={(value) => setColorScheme(value as typeof colorScheme)}
            data={[
              { value: "auto", label: SETTINGS.auto },
              { value: "light", label: SETTINGS.light },
              { value: "dark", label: SETTINGS.dark },
            ]}
          />
        </div>
        <div role="radiogroup" aria-labelledby="accent-label">
          <Text fw={500} size="sm" mb={6} id="accent-label">
            {SETTINGS.accent}
          </Text>
          <Group>
            {ACCENTS.map((name) => (
              <UnstyledButton
                key={name}
                role="radio"
                aria-checked={name === accent}
                aria-label={SETTINGS.accents[name]}
                title={SETTINGS.accents[name]}
                onClick={() => setAccent(name)}
                style={{ borderRadius: "50%" }}
              >
                <ColorSwatch component="span" color={colors[name]![7]} size={36}>
                  {name === accent && <IconCheck size={20} color="white" aria-hidden />}
                </ColorSwatch>
              </UnstyledButton>
            ))}
          </Group>
        </div>
      </Stack>
    </Card>
  );
}
